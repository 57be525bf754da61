import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** What an expression names. */
export type Used = {
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** Labels that it groups or matches by. */
  readonly grouping: readonly string[];
  /** Labels that it makes itself. */
  readonly made: readonly string[];
};

/** @throws SyntaxError where it is no PromQL */
export function usedIn(expression: string): Used {
  const metrics: { name: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  const made: string[] = [];
  const text = ({ from, to }: { readonly from: number; readonly to: number }) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: ({ type, node, from }) => {
      if (type.isError)
        throw new SyntaxError(`no PromQL at ${expression.slice(from, from + 30)}: ${expression}`);
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        const labels = below(node, 'LabelName').map(text);
        metrics.push({ name: name === null ? '' : text(name), labels });
      }
      if (type.name === 'GroupingLabels') grouping.push(...below(node, 'LabelName').map(text));
      if (type.name === 'FunctionCall' || type.name === 'AggregateExpr') made.push(...madeBy(node, text));
    },
  });
  return { metrics, grouping, made };
}

const makers = ['label_replace', 'label_join', 'count_values'];

/** The label that a call makes, if it makes one. */
function madeBy(call: SyntaxNode, text: (node: SyntaxNode) => string): string[] {
  const name = call.firstChild === null ? '' : text(call.firstChild);
  if (!makers.includes(name)) return [];
  const label = call.getChild('FunctionCallBody')?.getChild('StringLiteral');
  return label ? [text(label).slice(1, -1)] : [];
}

function below(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((each) => {
    if (each.name === name) found.push(each.node);
  });
  return found;
}
