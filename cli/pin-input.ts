import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { CredentialsKeyError, decodeCredentialsKey } from "../shared/credentials.ts";
import { DIGITS } from "../shared/rules/limits.ts";
import { type HashedPin, readPinList } from "./pin-list.ts";
import { readNamedFile } from "./read-file.ts";
import { readSecret } from "./read-secret.ts";

/** Problems of a list that are shown at once. */
const SHOWN = 20;

/** `CREDENTIALS_KEY` from the environment; ends the command where it is none. Looked at first: no PIN is keyed for nothing. */
export function credentialsKey(command: Command): string {
  const { CREDENTIALS_KEY: key = "" } = process.env;
  try {
    decodeCredentialsKey(key);
    return key;
  } catch (error) {
    if (!(error instanceof CredentialsKeyError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 2 });
  }
}

/** A PIN from standard input, or asked for without being shown; ends the command where it is none. */
export async function readPin(command: Command): Promise<string> {
  const pin = await readSecret("PIN (not shown): ");
  if (/^[0-9*#]+$/.test(pin) && pin.length <= DIGITS) return pin;
  command.error(
    `error: a PIN is 1 to ${DIGITS} of the digits, * and #, as the caller keys it without the terminator.`,
    { exitCode: 1 },
  );
}

/** The PINs of a list; ends the command where it cannot be read, or is not right. @param file `-` for standard input. */
export async function listedPins(
  file: string,
  key: string,
  tenant: string,
  command: Command,
): Promise<HashedPin[]> {
  const read = await readPinList(await readBytes(file, command), key, tenant);
  if (read.ok) return read.pins;
  const shown = read.problems.slice(0, SHOWN);
  const more = read.problems.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  command.error(`error: the list is not right:\n  ${shown.join("\n  ")}`, { exitCode: 1 });
}

async function readBytes(file: string, command: Command): Promise<Uint8Array> {
  try {
    return file === "-" ? await buffer(process.stdin) : await readNamedFile(file);
  } catch (error) {
    command.error(`error: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 });
  }
}
