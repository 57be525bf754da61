import { palette } from '../grafana/palette.ts';

/** Close to Grafana's dark theme. */
export const theme = {
  page: '#111217',
  panel: '#181b1f',
  border: '#2c3035',
  text: '#d5d7dc',
  faint: '#9a9ca3',
  grid: '#2b2e34',
  font: 'DejaVu Sans, Noto Sans, Arial, sans-serif',
} as const;

/** For series that have no colour of their own. */
export const seriesPalette = [
  palette.sky,
  palette.orange,
  palette.green,
  palette.purple,
  palette.vermilion,
  palette.yellow,
  palette.blue,
  palette.grey,
];
