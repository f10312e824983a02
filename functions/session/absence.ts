import type { Placement, Placements } from "./placements.ts";

/** A document of ours seems to have taken the call out, and another is about to put it back: it is in no room for a moment. */
export function isBeingPutBack(row: Placement): boolean {
  return row.state === "by_document" && row.conference_id !== null;
}

/**
 * Tells whether a call of a room that is not among those whom REST lists there is absent. Whether REST's CallSid is the call_id
 * is not known: a stranger in the room may be the very call. It is not where nobody is a stranger, or where REST names another
 * call of that kind (with a node, or cXML's without) as we do.
 */
export function absenceBy(present: ReadonlySet<string>, placements: Placements): (row: Placement) => boolean {
  const known = [...present].flatMap((call_id) => placements.ofCall(call_id)[0] ?? []);
  const nobodyIsStrange = known.length === present.size;
  return ({ call_id, node_id }) =>
    !present.has(call_id) &&
    (nobodyIsStrange || known.some((other) => (other.node_id === null) === (node_id === null)));
}
