import type { EChartsOption } from 'echarts';
import { init } from 'echarts';
import type { Area } from '../svg.ts';
import { theme } from '../theme.ts';

/** What ECharts draws, as the inside of an SVG. */
export function chart(option: EChartsOption, { width, height }: Area): string {
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    drawing.setOption({ animation: false, textStyle: { fontFamily: theme.font }, ...option });
    return drawing.renderToSVGString();
  } finally {
    // It keeps the process alive otherwise.
    drawing.dispose();
  }
}

export const axisText = { color: theme.faint, fontSize: 11, fontFamily: theme.font };
export const gridLine = { lineStyle: { color: theme.grid } };
export const axisLine = { lineStyle: { color: theme.border } };
