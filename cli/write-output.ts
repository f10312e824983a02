import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";

/**
 * Writes JSON to a file, or YAML where it is named so. A file that is there may hold comments, and secrets of which only *** would
 * be left: it is written over only by force.
 */
export async function writeOutput(
  file: string,
  value: unknown,
  force: true | undefined,
): Promise<{ ok: true } | { ok: false; error: { code: string; message: string } }> {
  const text = /\.ya?ml$/i.test(file) ? stringify(value) : `${JSON.stringify(value, null, 2)}\n`;
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
    return { ok: true };
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const said = error instanceof Error ? error.message : String(error);
    const message = isThere ? `${file} is there already: --force writes over it.` : said;
    return { ok: false, error: { code: "not_written", message } };
  }
}
