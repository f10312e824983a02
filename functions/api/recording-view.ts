import type { RecordingView } from "../session/store/recordings.ts";
import type { Caller } from "./caller.ts";

/** A recording as the caller is shown it. SignalWire's own URL opens for anybody, and outlives the token of the person who has seen it. */
export function recordingFor({ kind }: Caller, { url, copy = null, ...row }: RecordingView) {
  return { ...row, url: kind === "admin" ? url : null, copy };
}
