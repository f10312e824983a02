/** Values from a call are cut to this in findings: a caller cannot fill the journal. */
const SHOWN = 80;

/** A value of the call's as a finding shows it. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN - 1)}…` : value);
}
