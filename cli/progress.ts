/** Waits that are shorter are not worth a word. */
const QUIET_MS = 2_000;

/** Shows on the terminal for how long something has been waited for. Where standard error is no terminal it says nothing. */
export async function withProgress<T>(
  what: string,
  work: Promise<T>,
  terminal: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
): Promise<T> {
  if (!terminal.isTTY) return await work;
  const began = Date.now();
  let isShown = false;
  const timer = setInterval(() => {
    if (Date.now() - began < QUIET_MS) return;
    isShown = true;
    terminal.write(`\r${what} … ${Math.round((Date.now() - began) / 1_000)} s`);
  }, 1_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    // The line is taken back: what comes next begins at the margin.
    if (isShown) terminal.write("\r\u001b[K");
  }
}
