import type { Frame } from "./frames.ts";
import { connectParams, type Handshake, readHandshake } from "./handshake.ts";
import type { RelaySettings, Resume } from "./inputs.ts";
import type { Turn } from "./turn.ts";

/** Tries after which a session that could not be resumed is given up for a plain one. */
const RESUME_TRIES = 3;

/** Who we are to the server: credentials, and the session to be resumed. */
export class Login {
  #settings: RelaySettings;
  #resume: Resume;
  /** What the last `signalwire.connect` was sent with. */
  #attempt: { settings: RelaySettings; resume: Resume };

  constructor(settings: RelaySettings, resume: Resume) {
    this.#settings = settings;
    this.#resume = { ...resume };
    this.#attempt = { settings, resume: {} };
  }

  replaceSettings(turn: Turn, settings: RelaySettings): void {
    // Another project's session is none that these credentials could resume.
    if (settings.project !== this.#settings.project) this.forget(turn);
    this.#settings = settings;
  }

  /** The params of the `signalwire.connect` that is now sent. */
  begin(contexts: readonly string[]): Record<string, unknown> {
    this.#attempt = { settings: this.#settings, resume: { ...this.#resume } };
    return connectParams(this.#settings, contexts, this.#resume);
  }

  /** How it was answered; `plain` where a refusal is one of the credentials that we have now, and of nothing else. */
  answered(answer: Extract<Frame, { kind: "result" | "error" }>): Handshake & { plain: boolean } {
    const { settings, resume } = this.#attempt;
    const handshake = readHandshake(answer, resume.protocol);
    if (handshake.kind === "accepted") this.#resume.protocol = handshake.protocol;
    return { ...handshake, plain: isEmpty(resume) && settings === this.#settings };
  }

  /** Authentication broke off without a refusal: after some tries the old session may be what stands in the way. */
  brokeOff(turn: Turn, tries: number): void {
    if (tries >= RESUME_TRIES && !isEmpty(this.#attempt.resume)) this.forget(turn);
  }

  /** @param authorization_state a secret; what the next connect resumes with. */
  remember(authorization_state: string): void {
    this.#resume.authorization_state = authorization_state;
  }

  forget(turn: Turn): void {
    if (isEmpty(this.#resume)) return;
    this.#resume = {};
    turn.effects.push({ do: "forget_session" });
  }
}

function isEmpty(resume: Resume): boolean {
  return resume.protocol === undefined && resume.authorization_state === undefined;
}
