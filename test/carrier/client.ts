import type { CallView, ConferenceView } from "./control-views.ts";
import type { JournalEntry, JournalKind } from "./journal.ts";
import type { CallRequest, ProjectSettings } from "./settings.ts";
import type { WaitFor } from "./waiting.ts";

export interface ProjectCredentials {
  readonly project_id: string;
  readonly token: string;
  readonly signing_key: string;
}

export interface WaitResult {
  readonly entry?: JournalEntry;
  readonly call?: CallView;
}

/** How a number is set up at SignalWire: what it names for each way in which calls can come to us. */
export interface NumberSetup {
  readonly swml: string;
  readonly cxml: string;
  /** A RELAY context. */
  readonly relay: string;
}

/** A call without its way in. */
export type Caller = Omit<CallRequest, "url" | "cxml_url" | "context">;

export type SocketAction = "drop" | "close" | "disconnect" | "disconnect_restart" | "silence";

/** The control API's client; runs in workerd and in Node. Every refusal is an Error that holds the carrier's answer. */
export class CarrierClient {
  readonly control: string;

  /** `control` is the URL of the ready line, such as `http://127.0.0.1:9600/_carrier`. */
  constructor(control: string) {
    this.control = control.replace(/\/$/, "");
  }

  async createProject(settings: ProjectSettings = {}): Promise<CarrierProject> {
    const made: ProjectCredentials = await request(`${this.control}/projects`, "POST", settings);
    return new CarrierProject(this.control, made);
  }

  /** A project that exists already. */
  project(credentials: ProjectCredentials): CarrierProject {
    return new CarrierProject(this.control, credentials);
  }

  async outage(listening: boolean, ms?: number): Promise<void> {
    await request(`${this.control}/outage`, "POST", { listening, ...(ms === undefined ? {} : { ms }) });
  }
}

/** One project at the carrier. */
export class CarrierProject {
  readonly project_id: string;
  readonly token: string;
  readonly signing_key: string;
  readonly #url: string;

  constructor(control: string, { project_id, token, signing_key }: ProjectCredentials) {
    this.project_id = project_id;
    this.token = token;
    this.signing_key = signing_key;
    this.#url = `${control}/projects/${encodeURIComponent(project_id)}`;
  }

  change(settings: Omit<ProjectSettings, "project_id">): Promise<ProjectCredentials> {
    return request(this.#url, "PATCH", settings);
  }

  async remove(): Promise<void> {
    await request(this.#url, "DELETE");
  }

  placeCall(call: CallRequest): Promise<{ call_id: string; node_id: string }> {
    return request(`${this.#url}/calls`, "POST", call);
  }

  /** The same call by one way or another. */
  placeCallVia(
    via: keyof NumberSetup,
    number: NumberSetup,
    caller: Caller,
  ): Promise<{ call_id: string; node_id: string }> {
    switch (via) {
      case "swml":
        return this.placeCall({ ...caller, url: number.swml });
      case "cxml":
        return this.placeCall({ ...caller, cxml_url: number.cxml });
      case "relay":
        return this.placeCall({ ...caller, context: number.relay });
    }
  }

  calls(): Promise<CallView[]> {
    return request(`${this.#url}/calls`, "GET");
  }

  call(call_id: string): Promise<CallView> {
    return request(`${this.#url}/calls/${encodeURIComponent(call_id)}`, "GET");
  }

  async digits(call_id: string, digits: string): Promise<void> {
    await request(`${this.#url}/calls/${encodeURIComponent(call_id)}/digits`, "POST", { digits });
  }

  /** The caller begins to speak, or stops. */
  async speak(call_id: string, speaking: boolean): Promise<void> {
    await request(`${this.#url}/calls/${encodeURIComponent(call_id)}/speech`, "POST", { speaking });
  }

  async hangUp(call_id: string, reason = "hangup"): Promise<void> {
    await request(`${this.#url}/calls/${encodeURIComponent(call_id)}/hangup`, "POST", { reason });
  }

  conferences(): Promise<ConferenceView[]> {
    return request(`${this.#url}/conferences`, "GET");
  }

  journal(options: { after?: number; kind?: JournalKind } = {}): Promise<JournalEntry[]> {
    const query = new URLSearchParams();
    if (options.after !== undefined) query.set("after", String(options.after));
    if (options.kind !== undefined) query.set("kind", options.kind);
    return request(`${this.#url}/journal?${query}`, "GET");
  }

  /** Resolves when everything asked for is true; fails with what was seen instead. */
  wait(asked: WaitFor): Promise<WaitResult> {
    return request(`${this.#url}/wait`, "POST", asked);
  }

  async sockets(action: SocketAction, ms?: number): Promise<void> {
    await request(`${this.#url}/sockets`, "POST", { do: action, ...(ms === undefined ? {} : { ms }) });
  }

  /** `count` events at once, each of a call of its own where there are several. */
  async sendEvent(event_type: string, params: Record<string, unknown>, count = 1): Promise<void> {
    await request(`${this.#url}/events`, "POST", { event_type, params, count });
  }

  async sendFrame(text: string): Promise<void> {
    await request(`${this.#url}/frames`, "POST", { text });
  }

  /** Takes this project's webhooks and callbacks over a WebSocket; the function returned closes it. */
  async openTunnel(handler: (request: Request) => Promise<Response>): Promise<() => void> {
    const socket = new WebSocket(`${this.#url.replace(/^http/, "ws")}/tunnel`);
    socket.addEventListener("message", (event) => {
      answerOver(socket, String(event.data), handler).catch((error: unknown) => {
        // A test must see its own failure; the carrier sees a server that died.
        console.error("the tunnel's handler failed", error);
        socket.close();
      });
    });
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the carrier refused the tunnel")));
    });
    return () => socket.close();
  }
}

interface Tunnelled {
  readonly id: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** base64 */
  readonly body: string;
}

async function answerOver(
  socket: WebSocket,
  text: string,
  handler: (request: Request) => Promise<Response>,
): Promise<void> {
  const { id, method, url, headers, body }: Tunnelled = JSON.parse(text);
  const sent = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const response = await handler(
    new Request(url, { method, headers, ...(method === "GET" ? {} : { body: sent }) }),
  );
  const bytes = new Uint8Array(await response.arrayBuffer());
  const answer: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    answer[name] = value;
  });
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  // The test is over, and the carrier waits for this no more.
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ id, status: response.status, headers: answer, body: btoa(binary) }));
}

/** The caller names the shape: the carrier's views are this repository's own. */
async function request<T>(url: string, method: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`carrier: ${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text === "" ? "null" : text);
}
