import { DIGITS } from "../shared/rules/limits.ts";
import { pinRecord } from "../shared/rules/schema/pin-record.ts";
import { answerHmac } from "../shared/secret-answer.ts";

/** What `wrangler kv bulk put` takes. */
export interface KvPair {
  key: string;
  value: string;
}

export type PinList = { ok: true; pairs: KvPair[] } | { ok: false; problems: string[] };

const HEADER = "pin,room,role";

/** Where KV holds the record of the PIN that this HMAC stands for. */
export function pinKey(tenant: string, hmac: string): string {
  return `pins/${tenant}/${hmac}`;
}

/** Reads lines `pin,room,role`, of which room and role may be empty. Problems name the line and never show the PIN. */
export async function readPinList(text: string, credentials_key: string, tenant: string): Promise<PinList> {
  const pairs: KvPair[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || (index === 0 && line.trim() === HEADER)) continue;
    const [pin = "", room = "", role = "", ...more] = line.split(",").map((field) => field.trim());
    const record = pinRecord.safeParse({
      ...(room === "" ? {} : { room }),
      ...(role === "" ? {} : { role }),
    });
    const wrong = [
      ...(/^[0-9]+$/.test(pin) && pin.length <= DIGITS ? [] : [`the PIN must be 1 to ${DIGITS} digits`]),
      ...(more.length === 0 ? [] : ["there must be no more than pin,room,role"]),
      ...(record.error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`),
    ];
    const other = lineOf.get(pin);
    if (other !== undefined) wrong.push(`the PIN is that of line ${other}, too`);
    lineOf.set(pin, index + 1);
    if (wrong.length > 0) problems.push(`line ${index + 1}: ${wrong.join("; ")}`);
    else if (record.success) {
      const hmac = await answerHmac(credentials_key, tenant, pin);
      pairs.push({ key: pinKey(tenant, hmac), value: JSON.stringify(record.data) });
    }
  }
  if (pairs.length === 0 && problems.length === 0) problems.push("there is no PIN in it");
  return problems.length === 0 ? { ok: true, pairs } : { ok: false, problems };
}
