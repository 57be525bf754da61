import { type Command, Option } from 'commander';

/** Options of every command that asks a cluster, as kubectl has them. */
export function clusterOptions(command: Command): Command {
  return command
    .addOption(new Option('-n, --namespace <name>', "namespace (default: the context's)"))
    .addOption(new Option('--context <name>', 'context of the kubeconfig (default: its current one)'))
    .addOption(new Option('--kubeconfig <file>', 'kubeconfig (default: $KUBECONFIG or ~/.kube/config)'));
}
