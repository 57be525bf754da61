// `helm test`: the operator is ready, and trainers reach it by its Service's name and trust the certificate it shows.
const deadline = Date.now() + 60_000;

await answers(`${process.env.HEALTH_URL}/readyz`, 200);
// Nobody without a token may read metrics: it is this server that answers so, behind its certificate.
await answers(`${process.env.SERVER_URL}/metrics`, 401);

async function answers(address, expected) {
  for (;;) {
    const answer = await ask(address);
    if (answer === expected || Date.now() > deadline) {
      console.log(`${address}: ${answer}, expected ${expected}`);
      if (answer !== expected) process.exit(1);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** The status, or why there is none. */
async function ask(address) {
  try {
    return (await fetch(address, { signal: AbortSignal.timeout(5000) })).status;
  } catch (error) {
    return error.cause?.message ?? error.message;
  }
}
