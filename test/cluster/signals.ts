const script = `import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
let loaded = 0;
registerHooks({
  load(url, context, next) {
    loaded += 1;
    return next(url, context);
  },
});
process.on('newListener', (name) => {
  if (name === 'SIGTERM') writeSync(2, 'catches SIGTERM, modules loaded: ' + loaded + String.fromCharCode(10));
});`;

/** Value of NODE_OPTIONS that has Node.js say on stderr when it begins to catch SIGTERM: `catches SIGTERM, …: 1`. */
export const tellsOfSigterm = `--import=data:text/javascript,${encodeURIComponent(script)}`;
