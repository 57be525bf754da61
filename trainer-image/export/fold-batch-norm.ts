import type { GraphNode, InferenceGraph, Weight } from './inference-graph.ts';

type Convolution = Extract<GraphNode, { readonly kind: 'convolution' }>;
type Normalisation = Extract<GraphNode, { readonly kind: 'normalisation' }>;

/**
 * Puts each batch normalisation into the convolution before it: w′ = w·γ/√(σ² + ε), b′ = β + (b − μ)·γ/√(σ² + ε),
 * computed in double precision.
 *
 * One that follows something else, as those before the convolutions of a wide ResNet, stays; so does one whose
 * convolution has other readers.
 */
export function foldBatchNorm(graph: InferenceGraph): InferenceGraph {
  const readers = new Map<string, number>();
  const outputs = [graph.logits, ...graph.stages];
  for (const name of [...graph.nodes.flatMap(inputsOf), ...outputs]) {
    readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const nodes: GraphNode[] = [];
  const convolutions = new Map<string, { readonly node: Convolution; readonly index: number }>();
  for (const node of graph.nodes) {
    const before = convolutions.get(node.input);
    if (node.kind === 'normalisation' && before !== undefined && readers.get(node.input) === 1) {
      nodes[before.index] = folded(before.node, node);
      continue;
    }
    if (node.kind === 'convolution') convolutions.set(node.output, { node, index: nodes.length });
    nodes.push(node);
  }
  return { ...graph, nodes };
}

function inputsOf(node: GraphNode): readonly string[] {
  return node.kind === 'add' ? [node.input, node.other] : [node.input];
}

function folded(convolution: Convolution, { output, scale, shift, mean, variance, epsilon }: Normalisation) {
  const { weight, bias } = convolution;
  const channels = scale.values.length;
  const area = weight.values.length / channels;
  const at = ({ values }: Weight, index: number) => values[index] ?? 0;
  const factors = Float64Array.from(
    scale.values,
    (gamma, channel) => gamma / Math.sqrt(at(variance, channel) + epsilon),
  );
  const factorAt = (channel: number) => factors[channel] ?? 0;
  const values = weight.values.map((value, index) => value * factorAt(Math.floor(index / area)));
  const shifts = shift.values.map(
    (beta, channel) =>
      beta + ((bias === undefined ? 0 : at(bias, channel)) - at(mean, channel)) * factorAt(channel),
  );
  const name = weight.name.replace(/weight$/, 'bias');
  return {
    ...convolution,
    output,
    weight: { ...weight, values },
    bias: { name, shape: [channels], values: shifts },
  };
}
