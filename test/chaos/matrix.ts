import type { Reading } from "../carrier/switches/open-question.ts";
import { type Plan, planOne } from "./plan.ts";
import { questions, readingsWith, seedFrom } from "./readings.ts";
import type { Finished } from "./run.ts";

/** One reading alone, and what is played under it. The first row has none: all is as assumed. */
export interface Row {
  reading: { name: string; value: Reading } | null;
  plan: Plan;
}

/** How much is played under each reading. */
interface RowSize {
  calls: number;
  trouble_ms: number;
  /** How many of the two troubles a row meets: in the second the session is lost while everything is slow. */
  troubles: 1 | 2;
}

const FULL_SIZE: RowSize = { calls: 40, trouble_ms: 10_000, troubles: 2 };
const SHORT_SIZE: RowSize = { calls: 24, trouble_ms: 6_000, troubles: 1 };

/** In which part of a row rushes come. */
const RUSHED = 0.4;

/** Every reading that is not the assumed one; each alone. */
export function matrix(seed: number): Row[] {
  return rowsOf(seed, FULL_SIZE, ["harmful", "degrading", "harmless"]);
}

/** The readings that may do harm, with fewer calls and one trouble at a time. */
export function shortMatrix(seed: number): Row[] {
  return rowsOf(seed, SHORT_SIZE, ["harmful"]);
}

function rowsOf(seed: number, size: RowSize, kinds: readonly string[]): Row[] {
  const readings = Object.entries(questions)
    .filter(([, { kind }]) => kinds.includes(kind))
    .flatMap(
      ([
        name,
        {
          readings: [, ...others],
        },
      ]) => others.map((value) => ({ name, value })),
    );
  return [null, ...readings].map((reading) => ({ reading, plan: planRow(seed, size, reading) }));
}

/** A row is the same whatever other rows there are. */
function planRow(seed: number, { calls, trouble_ms, troubles }: RowSize, reading: Row["reading"]): Plan {
  const readings = readingsWith(reading ? { [reading.name]: reading.value } : {});
  return planOne(
    seedFrom(`${seed} ${titleOf(reading)}`),
    calls,
    { trouble_ms, troubles, rushed: RUSHED },
    readings,
  );
}

export function titleOf(reading: Row["reading"]): string {
  return reading ? `${reading.name}=${reading.value}` : "as assumed";
}

/** What came of a row, in one line: its crimes, and what the reading cost. */
export function lineOf({ reading }: Row, { figures, counts }: Finished): string {
  const crimes = Object.entries(counts).filter(([, count]) => count > 0);
  const { calls, joined_by_relay, joined_by_document, apologised, alive_in_silence_s, excused } = figures;
  const { dials, dialled_into_room } = figures;
  const [by_relay, by_document] = [Number(joined_by_relay), Number(joined_by_document)];
  const share = by_relay + by_document === 0 ? 0 : by_relay / (by_relay + by_document);
  const { max = 0 } = (alive_in_silence_s ?? {}) as { max?: number }; // As figures.ts has it.
  return [
    titleOf(reading),
    `${calls} calls`,
    crimes.length === 0 ? "0 crimes" : crimes.map(([crime, count]) => `${crime} ${count}`).join(", "),
    `${Math.round(share * 100)} % joined by RELAY`,
    `${dialled_into_room} of ${dials} dialled into their room`,
    `${apologised} apologised`,
    `alive in silence ${max} s at most`,
    `${excused} excused`,
  ].join("; ");
}
