import { expect, it, test } from 'vitest';
import { framesOf } from '../../../dashboards/picture/frame.ts';
import { transform } from '../../../dashboards/picture/transform.ts';

const series = (labels: Readonly<Record<string, string>>, value: number) => ({
  labels,
  points: [[60, value]] as const,
});
const accuracy = { refId: 'A', series: [series({ arm: 'soft' }, 0.9), series({ arm: 'hints' }, 0.8)] };
const seconds = { refId: 'B', series: [series({ arm: 'soft' }, 12)] };

test('a query is a table with a row for each series', () => {
  expect(framesOf([accuracy])).toEqual([
    {
      columns: ['Time', 'arm', 'Value'],
      rows: [
        { Time: 60_000, arm: 'soft', Value: 0.9 },
        { Time: 60_000, arm: 'hints', Value: 0.8 },
      ],
    },
  ]);
});

it('merges rows of equal labels, chooses, orders and names columns', () => {
  const options = {
    excludeByName: { Time: true },
    indexByName: { 'Value #B': 0, arm: 1 },
    renameByName: { 'Value #A': 'Accuracy' },
  };
  const merged = transform(framesOf([accuracy, seconds]), [
    { id: 'merge', options: {} },
    { id: 'organize', options },
  ]);
  expect(merged).toEqual([
    {
      columns: ['Value #B', 'arm', 'Accuracy'],
      rows: [
        { 'Value #B': 12, arm: 'soft', Accuracy: 0.9 },
        { 'Value #B': undefined, arm: 'hints', Accuracy: 0.8 },
      ],
    },
  ]);
});

it('merges no rows that differ in a label that both have, and takes no notice of queries without rows', () => {
  const teacher = { refId: 'C', series: [series({ role: 'teacher' }, 3)] };
  const runs = {
    refId: 'B',
    series: [series({ role: 'teacher' }, 2), series({ role: 'distilled', arm: 'soft' }, 1)],
  };
  const [merged] = transform(framesOf([{ refId: 'A', series: [] }, runs, teacher]), [
    { id: 'merge', options: {} },
  ]);
  expect(merged?.rows).toEqual([
    { Time: 60_000, role: 'teacher', 'Value #B': 2, 'Value #C': 3 },
    { Time: 60_000, role: 'distilled', arm: 'soft', 'Value #B': 1 },
  ]);
});

it('makes a matrix of two labels, in the order of their numbers', () => {
  const points = [
    series({ x: '10', y: '1' }, 0.7),
    series({ x: '2', y: '1' }, 0.6),
    series({ x: '2', y: '3' }, 0.5),
  ];
  const made = transform(framesOf([{ refId: 'A', series: points }]), [
    { id: 'convertFieldType', options: { conversions: [{ targetField: 'x', destinationType: 'number' }] } },
    { id: 'sortBy', options: { sort: [{ field: 'x' }] } },
    { id: 'groupingToMatrix', options: { columnField: 'x', rowField: 'y', valueField: 'Value' } },
  ]);
  expect(made).toEqual([
    {
      columns: ['y\\x', '2', '10'],
      rows: [
        { 'y\\x': '1', 2: 0.6, 10: 0.7 },
        { 'y\\x': '3', 2: 0.5 },
      ],
    },
  ]);
});

test('a transformation that is not known is named', () => {
  expect(() => transform([], [{ id: 'rowsToFields', options: {} }])).toThrow(
    'the transformation rowsToFields',
  );
});
