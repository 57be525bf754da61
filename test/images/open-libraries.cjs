// Opens every library in /opt/tensorflow with all that it is linked with, and prints what could not be opened.
const { readdirSync } = require('node:fs');
const { constants } = require('node:os');

for (const name of readdirSync('/opt/tensorflow').filter((file) => file.includes('.so'))) {
  try {
    process.dlopen({ exports: {} }, name, constants.dlopen.RTLD_NOW);
  } catch (error) {
    // Said of a library that was opened, and is none for Node.js.
    if (!error.message.startsWith('Module did not self-register')) console.log(error.message);
  }
}
