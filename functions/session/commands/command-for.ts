import { apologyDocument } from "../../../shared/documents/fixed-words.ts";
import { inlineJoinDocument } from "../../../shared/documents/outcomes.ts";
import { render } from "../../../shared/documents/render.ts";
import { handOverDocument, rejectDocument } from "../../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../../shared/documents/swml.ts";
import { isByDocument, isLive, mayMove } from "../../../shared/placement.ts";
import { log } from "../../log.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { PendingCommand } from "../store/commands.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import {
  afterwards,
  asksUsOf,
  FETCHES,
  fetchedFrom,
  hasFetched,
  inlineJoinOf,
} from "../store/resume-url-of.ts";
import { refusalOf } from "../store/wait-terms.ts";

/** What a pending command asks of SignalWire, by RELAY or by REST. */
export interface CallCommand {
  method: "calling.end" | "calling.transfer";
  params: Record<string, unknown>;
}

const hangUp: CallCommand = { method: "calling.end", params: { reason: "hangup" } };

/** Null where there is nothing left to do. */
export function commandFor(
  {
    placements,
    queue,
    heldSeats,
  }: { placements: Placements; queue: WaitingQueue; heldSeats: Pick<HeldSeats, "isPromised"> },
  { kind, attempts, ...key }: PendingCommand,
): CallCommand | null {
  const row = placements.find(key);
  switch (kind) {
    case "end": {
      const [newest] = placements.currentOf(key.call_id);
      // It came anew meanwhile: it is where that led it.
      return row && newest && newest !== row && isLive(newest.state) ? null : hangUp;
    }
    case "after": {
      const dest = row?.placing.after?.swml;
      return dest === undefined ? null : { method: "calling.transfer", params: { dest } };
    }
    case "expire":
      return row && mayMove(row.state, "left") ? hangUp : null;
    case "rejoin":
      if (!row || !isByDocument(row.state)) return null;
      // It came back by itself, and its document joins already. A call that is led by commands was answered without a fetch.
      if (row.ingress !== "relay" && row.answer?.outcome === "document") return null;
      if (!placements.move(row, "by_document", { conference_id: null, reason: "it is put back" }))
        placements.update(row, { conference_id: null });
      return transferTo(
        row.call_id,
        inlineJoinDocument(row.room, inlineJoinOf(row), undefined, asksUsOf(row, heldSeats.isPromised(row))),
      );
    case "overdue":
      if (row) queue.turnAway(row, "waited", "it has waited as long as may be");
      return null;
    case "fetch":
      return row ? fetch(row, heldSeats.isPromised(row), attempts) : null;
    case "verify":
      // REST is asked, and nothing is commanded.
      return null;
    default:
      return kind satisfies never;
  }
}

/**
 * To the room whose seat it has, or to what is said to those who are not let in. A call that RELAY cannot address waits in cXML:
 * it is led to us, for a document in its own language.
 */
function fetch(row: Placement, keeps_seat: boolean, attempts: number): CallCommand | null {
  const { wait, state, call_id, room, placing, turned_away } = row;
  if (!wait || row.node_id === null) return null;
  if (isByDocument(state)) {
    const dest = attempts < FETCHES ? fetchedFrom(row) : null;
    if (dest !== null) return hasFetched(row) ? null : { method: "calling.transfer", params: { dest } };
    return transferTo(
      call_id,
      inlineJoinDocument(room, inlineJoinOf(row), afterwards(row), asksUsOf(row, keeps_seat)),
    );
  }
  if (turned_away === null) return null;
  const word = refusalOf(placing, turned_away);
  if (word.action === "reject") return transferTo(call_id, rejectDocument(word.say, word.reason));
  return transferTo(call_id, word.swml === undefined ? apologyDocument() : handOverDocument(word.swml, {}));
}

function transferTo(call_id: string, document: SwmlDocument): CallCommand {
  const rendered = render(document);
  if (!rendered.ok)
    log("error", "document.refused", { call: call_id, path: rendered.path, why: rendered.why });
  return { method: "calling.transfer", params: { dest: rendered.body } };
}
