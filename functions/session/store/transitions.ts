/** A placement moves a dozen times at most, but a document that joins and leaves for ever must not make its row grow. */
const TRAIL_LENGTH = 4_000;

/** One thing that a placement went through: a state that it moved to, or a command and what came of it. */
export interface Mark {
  at: number;
  what: string;
  why: string;
}

/** The trail with one more mark; kept in the placement's own row, so that it costs no row of its own. */
export function withMark(trail: string, at: number, what: string, why: string): string {
  const mark = JSON.stringify([at, what, why]);
  if (trail === "") return mark;
  return trail.length + mark.length > TRAIL_LENGTH ? trail : `${trail},${mark}`;
}

export function readTransitions(trail: string): Mark[] {
  const marks = JSON.parse(`[${trail}]`) as [number, string, string][]; // Written by withMark.
  return marks.map(([at, what, why]) => ({ at, what, why }));
}
