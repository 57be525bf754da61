/** A value in the way that Grafana shows that unit. @param decimals as many as are needed unless it is told */
export function format(value: number, unit: string, decimals?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
  switch (unit) {
    case 'percentunit':
      return `${rounded(value * 100, decimals ?? 1)}%`;
    case 'percent':
      return `${rounded(value, decimals ?? 1)}%`;
    case 's':
      return duration(value, decimals);
    case 'h':
      return `${rounded(value, decimals ?? 1)} h`;
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], decimals);
    case 'ops':
      return `${scaled(value, 1000, ['', 'K', 'M', 'G', 'T'], decimals).trim()} ops/s`;
    case 'reqps':
      return `${scaled(value, 1000, ['', 'K', 'M', 'G', 'T'], decimals).trim()} req/s`;
    case 'none':
      return String(Number(value.toPrecision(4)));
    default:
      return scaled(value, 1000, ['', 'K', 'Mil', 'Bil', 'Tri'], decimals).trim();
  }
}

const spans: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'mins'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];

function duration(seconds: number, decimals?: number): string {
  if (seconds === 0) return '0 s';
  const [size, name] = spans.find(([each]) => Math.abs(seconds) >= each) ?? [1, 's'];
  return `${rounded(seconds / size, decimals ?? significant(seconds / size))} ${name}`;
}

function scaled(value: number, base: number, names: readonly string[], decimals?: number): string {
  let size = value;
  let step = 0;
  while (Math.abs(size) >= base && step < names.length - 1) {
    size /= base;
    step += 1;
  }
  return `${rounded(size, decimals ?? significant(size))} ${names[step] ?? ''}`;
}

/** As many places as three digits need. */
function significant(value: number): number {
  if (Number.isInteger(value)) return 0;
  return Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-2))));
}

function rounded(value: number, decimals: number): string {
  return value.toFixed(Math.min(decimals, 20));
}
