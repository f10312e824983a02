import { randomBytes, randomUUID } from "node:crypto";

/** Events kept for a session without a connection, where the switch says that they come again. */
const backlog_limit = 1000;
/** Request ids remembered to find a repeated one. */
const remembered_ids = 50_000;

export interface EventBody {
  readonly event_type: string;
  readonly timestamp: number;
  readonly params: Record<string, unknown>;
}

/** The connection that a session has at the moment. */
export interface SessionLink {
  sendEvent(event: EventBody): void;
  close(): void;
}

/** A RELAY session: outlives its connections, resumed by its `protocol`. */
export class RelaySession {
  readonly sessionid = randomUUID();
  readonly identity = `${randomUUID()}@carrier.example.com`;
  /** `@signalwire/realtime-api` resumes only where `protocol`'s second part is the signature of its authorization. */
  readonly signature = randomBytes(12).toString("hex");
  readonly protocol: string;
  readonly contexts = new Set<string>();
  authorization_state: string | null = null;
  link: SessionLink | null = null;
  #backlog: EventBody[] = [];
  #seen_ids = new Set<string>();

  constructor(project_id: string) {
    this.protocol = `signalwire_${this.signature}_${project_id}`;
  }

  /** False for an id that this session has used before. */
  firstUse(id: string): boolean {
    if (this.#seen_ids.has(id)) return false;
    this.#seen_ids.add(id);
    if (this.#seen_ids.size > remembered_ids) {
      for (const oldest of this.#seen_ids) {
        this.#seen_ids.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** Keeps what the client has not had, or not acknowledged, for after a resume. */
  keep(event: EventBody): void {
    if (this.#backlog.length < backlog_limit) this.#backlog.push(event);
  }

  takeBacklog(): EventBody[] {
    const backlog = this.#backlog;
    this.#backlog = [];
    return backlog;
  }
}
