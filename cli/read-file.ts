import { readFile } from "node:fs/promises";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "is a folder, not a file",
  EACCES: "may not be read: look at its permissions",
  EPERM: "may not be read: look at its permissions",
  ERR_FS_FILE_TOO_LARGE: "is too large to read",
};

/** Reads a file that a person named. What is thrown names the file, and says what is wrong in plain words. */
export async function readNamedFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new Error(`${file}: ${REASONS[code] ?? `can't be read (${code})`}`);
  }
}

/** As `readNamedFile`, of a file that is text: UTF-8, with or without the mark at its beginning. */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readNamedFile(file);
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") throw new Error(`${file}: is UTF-16: save it as UTF-8`);
  if (bytes.includes(0)) throw new Error(`${file}: is not a text file`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new Error(`${file}: is not UTF-8: save it as UTF-8`);
  }
}
