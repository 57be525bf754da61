/** Ways to explain a prediction, and what they are called. */

/** As a spec and the command line name them. */
export const explanationMethods = ['gradCam', 'lime', 'shap'] as const;
export type ExplanationMethod = (typeof explanationMethods)[number];

/** What makes a map; `shap` in a spec stands for the last two. */
export const mapNames = ['gradCam', 'lime', 'expectedGradients', 'kernelShap'] as const;
export type MapName = (typeof mapNames)[number];

/** What people read in figures, tables and reports. */
export const mapTitles: Readonly<Record<MapName, string>> = {
  gradCam: 'Grad-CAM',
  lime: 'LIME',
  expectedGradients: 'Expected gradients',
  kernelShap: 'Kernel SHAP',
};
