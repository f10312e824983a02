import { text } from "node:stream/consumers";

/** The secret from standard input, without the line's end; from a terminal it is asked for and not shown. */
export async function readSecret(question: string): Promise<string> {
  if (process.stdin.isTTY) return await askHidden(question);
  return (await text(process.stdin)).replace(/\r?\n$/, "");
}

/** Raw mode shows nothing of what is typed, and leaves Ctrl-C and the erasing key to us. */
async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // First: what is typed before it would be shown.
  stdin.setRawMode(true);
  stderr.write(question);
  stdin.setEncoding("utf8");
  try {
    let secret = "";
    for await (const typed of stdin) {
      for (const key of String(typed)) {
        if (key === "\r" || key === "\n" || key === "\u0004") return secret;
        if (key === "\u0003") process.exit(130);
        secret = key === "\u007f" || key === "\b" ? secret.slice(0, -1) : secret + key;
      }
    }
    return secret;
  } finally {
    stdin.setRawMode(false);
    stderr.write("\n");
  }
}
