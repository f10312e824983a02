import type { JoinParameters } from "../../../shared/conference.ts";
import { apologyDocument, fallbackDocument } from "../../../shared/documents/fixed-words.ts";
import {
  askAgainDocument,
  heldDocument,
  inlineJoinDocument,
  stayDocument,
  unknownDocument,
} from "../../../shared/documents/outcomes.ts";
import {
  announceDocument,
  handOverDocument,
  rejectDocument,
} from "../../../shared/documents/rule-documents.ts";
import type { ResumeUrl } from "../../../shared/documents/step.ts";
import { returnDocument, waitingDocument } from "../../../shared/documents/waiting.ts";

/** Every parameter of `join_conference`. */
export const everyJoinParameter: Required<JoinParameters> = {
  muted: true,
  beep: "onEnter",
  start_on_enter: false,
  end_on_exit: true,
  wait_url: "https://example.com/music.mp3",
  max_participants: 20,
  record: "record-from-start",
  region: "eu",
  trim: "do-not-trim",
  coach: "c2d3e4f5-a6b7-4901-8def-234567890abc",
  status_callback: "https://example.com/status?token=t",
  status_callback_event: "start end join leave",
  status_callback_event_type: "relay",
  status_callback_method: "POST",
  recording_status_callback: "https://example.com/recording",
  recording_status_callback_event: "in-progress completed absent",
  recording_status_callback_event_type: "cxml",
  recording_status_callback_method: "GET",
  stream: {
    url: "wss://example.com/audio",
    name: "audio",
    codec: "L16@24000h@40i",
    status_url: "https://example.com/stream",
    status_url_method: "POST",
    realtime: true,
    authorization_bearer_token: "secret",
    custom_parameters: { tier: "gold" },
  },
};

const waiting = { does: "wait", for: "seat", otherwise: { does: "reject" }, rounds: 5, round_s: 60 } as const;

/** One of each of our documents, with `text` wherever a text of a caller's may end up, and params of a caller's. */
export function everyDocument(text: string, params: Record<string, unknown>) {
  const back: ResumeUrl = {
    dest: "https://partyline.example.com/hooks/acme/swml",
    params,
    sealed: "c2VhbGVk",
  };
  const asks = { dest: `${back.dest}?resume=.0.1&joined=1`, params, always: false };
  const room = `acme:${text}`.slice(0, 64);
  return {
    accepted: stayDocument({ max_duration_s: 600, params }),
    held: heldDocument(back, { ms: 3000 }),
    heldAgain: askAgainDocument({ ms: 3000, ringing: true }, asks),
    confirmed: stayDocument(),
    inlineJoinThatAsks: inlineJoinDocument(room, {}, { params }, asks),
    inlineJoinThatAlwaysAsks: inlineJoinDocument(room, {}, { params }, { ...asks, always: true }),
    inlineJoin: inlineJoinDocument(room, {}),
    inlineJoinInFull: inlineJoinDocument(room, everyJoinParameter),
    unknown: unknownDocument(back),
    announce: announceDocument([{ say: `Hello ${text}`, language: "en-GB", voice: "Polly.Amy" }], back),
    announceMedia: announceDocument([{ play: "https://example.com/hello.mp3" }], back),
    waiting: waitingDocument({ ...waiting, poll: back, turn: back }),
    waitingWithMusic: waitingDocument({
      ...waiting,
      announce: { say: `Please hold, ${text}` },
      music: "https://example.com/music.mp3",
      music_s: 20,
      position: { say: `You are number 3, ${text}`, language: "en-GB" },
      poll: { ...back, dest: `${back.dest}?poll=1` },
      turn: back,
    }),
    stay: returnDocument("stay", { say: "You are number 2." }),
    come: returnDocument("come"),
    reject: rejectDocument(),
    rejectWithReason: rejectDocument(undefined, "busy"),
    rejectWithWords: rejectDocument({ say: `Goodbye ${text}` }, "decline"),
    handOver: handOverDocument("https://voicemail.example.com/acme", params),
    apology: apologyDocument(),
    fallback: fallbackDocument(),
  };
}
