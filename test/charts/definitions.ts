import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The Go modules that carry the definitions of others' kinds which the chart makes objects of. */
const modules = [
  {
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    files: ['deploy/crds/cert-manager.io_certificates.yaml'],
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    files: ['servicemonitors', 'podmonitors', 'prometheusrules'].map(
      (kind) => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`,
    ),
  },
  {
    module: 'github.com/grafana/grafana-operator/v5@v5.18.0',
    sum: 'h1:ei7N2VfjsRjY8iprenH1IDV783WeV7CP5VNp//sB4hI=',
    files: ['dashboards', 'datasources', 'folders'].map(
      (kind) => `config/crd/bases/grafana.integreatly.org_grafana${kind}.yaml`,
    ),
  },
];

/** Files with the definitions of Certificate, and of the Prometheus Operator's and the Grafana Operator's kinds, as their projects publish them. */
export async function othersDefinitions(): Promise<readonly string[]> {
  const files = await Promise.all(
    modules.map(async ({ module, sum, files }) => {
      // Outside of any module: it is fetched, or found in Go's cache, as it is.
      const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
        cwd: tmpdir(),
      });
      const { Dir, Sum }: { readonly Dir: string; readonly Sum: string } = JSON.parse(stdout);
      if (Sum !== sum) throw new Error(`${module} is not what it was: ${Sum}`);
      return files.map((file) => join(Dir, file));
    }),
  );
  return files.flat();
}
