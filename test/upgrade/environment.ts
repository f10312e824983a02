import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { temporaryFolder } from "../bench/children.ts";
import { serve } from "../bench/workerd.ts";
import type { Call } from "../carrier/calls.ts";
import { startCarrier } from "../carrier/carrier.ts";
import { startCxml } from "../carrier/cxml-documents.ts";
import { startDocument } from "../carrier/documents.ts";
import type { Project } from "../carrier/project.ts";
import { Front, type Received } from "./front.ts";
import { rules } from "./rules.ts";

const ADMIN_TOKEN = "upgrade-admin-token";
/** As long as a leave may be the doing of a document, and a moment more. */
const EARLY_LEAVE_MS = 3_200;
const UNTIL_MS = 12_000;

/** The Worker of the version before, as it was deployed. */
export const versionBefore = join(import.meta.dirname, "version-before/worker.js");

export interface Caller {
  to: string;
  from?: string;
  way?: "swml" | "cxml" | "relay";
  /** "document" calls a tenant whose calls are never joined by RELAY. */
  join_via?: "relay" | "document";
}

interface Roster {
  participants: { call_id: string }[];
  waiting: { call_id: string }[];
}

/** A project of its own with two tenants: scenarios meet on the Worker and nowhere else. */
export class Home {
  readonly project: Project;
  readonly #tenants: { relay: string; document: string };
  readonly #front: Front;
  #callers = 0;

  constructor(project: Project, name: string, front: Front) {
    this.project = project;
    this.#tenants = { relay: name, document: `${name}-doc` };
    this.#front = front;
  }

  tenant(join_via: "relay" | "document" = "relay"): string {
    return this.#tenants[join_via];
  }

  call({ to, from, way = "swml", join_via = "relay" }: Caller): Call {
    this.#callers += 1;
    const facts = {
      from: from ?? `+1555010${1000 + this.#callers}`,
      to,
      type: "phone",
      headers: [],
      direction: "inbound",
    } as const;
    const { project } = this;
    const url = `${this.#front.url}/hooks/${this.tenant(join_via)}/${way}`;
    const call = project.addCall({
      ...facts,
      origin: ({ swml: "webhook", cxml: "cxml", relay: "context" } as const)[way],
    });
    if (way === "swml") startDocument(project, call, { start: { url } });
    else if (way === "cxml") startCxml(project, call, { url, method: "POST" });
    else project.offer(call, this.tenant());
    return call;
  }

  /** Resolves when it is so, and rejects with `what` where it does not come to be so. */
  until(what: string, isSo: () => boolean): Promise<void> {
    const { journal } = this.project;
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        unwatch();
      };
      const unwatch = journal.watch(() => {
        if (!isSo()) return;
        done();
        resolve();
      });
      const timer = setTimeout(() => {
        done();
        reject(new Error(`not seen: ${what}`));
      }, UNTIL_MS);
      journal.touch();
    });
  }

  /** The calls are in the room by its plain name, and have been for so long that a leave is their own. */
  async inRoom(room: string, ...calls: Call[]): Promise<void> {
    await this.joins(room, ...calls);
    // A leave so soon after a document's start is taken for the document's doing, by either version.
    const youngest = Math.max(...calls.map(({ joins }) => joins.at(-1)?.at ?? 0));
    const [call] = calls;
    if (call) await call.sleep(Math.max(0, youngest + EARLY_LEAVE_MS - call.now()), call.ended);
  }

  /** The calls have come into the room by its plain name, and their documents have nothing more to ask. */
  async joins(room: string, ...calls: Call[]): Promise<void> {
    await Promise.all(
      calls.map((call) =>
        this.until(`${call.facts.from} is in ${room}`, () => isIn(call, room) && !isHeld(call)),
      ),
    );
  }

  async ended(...calls: Call[]): Promise<void> {
    await Promise.all(
      calls.map((call) => this.until(`${call.facts.from} is ended`, () => call.state === "ended")),
    );
  }

  async hears(call: Call, words: string): Promise<void> {
    await this.until(`${call.facts.from} hears ${words}`, () =>
      call.ear.report().heard.some(({ detail }) => detail.includes(words)),
    );
  }

  /** What the API says of a room, by its plain name. */
  async roster(room: string, join_via: "relay" | "document" = "relay"): Promise<Roster> {
    const response = await this.ask(`/api/tenants/${this.tenant(join_via)}/conferences/${room}`);
    if (response.status === 404) return { participants: [], waiting: [] };
    return (await response.json()) as Roster;
  }

  async ask(path: string, body?: object): Promise<Response> {
    return await fetch(`${this.#front.url}${path}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  }

  /** Everything that SignalWire has sent about the call. */
  received(call: Call): Received[] {
    return this.#front.received.filter(({ path, body }) => `${path} ${body}`.includes(call.call_id));
  }

  /** A status callback without a signature says that the call has left its conference, which is not so. */
  async sendUnsignedLeave(call: Call): Promise<Response> {
    const { conference } = call;
    if (conference === null) throw new Error("the call is in no conference");
    const { call_id, node_id } = call;
    const { conference_id, name } = conference;
    const params = { conference_id, name, status: "participant-leave", call_id, node_id };
    const event = { event_type: "calling.conference", timestamp: Date.now() / 1000, params };
    return await fetch(conference.settings.status_callback ?? "", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
    });
  }

  async send(request: Received): Promise<Response> {
    return await this.#front.pass(request);
  }
}

/** The simulator and, on a workerd, one Worker for the projects of all scenarios. */
export interface Environment {
  home(index: number): Home;
  /** What the Workers logged and workerd said. */
  log: string[];
  /** The version that serves ends, and another takes over its storage, KV and address. */
  replaceBy(script: string): Promise<void>;
  close(): Promise<void>;
}

/** @param script the bundle of the version that serves first. */
export async function setUpEnvironment(script: string, count: number): Promise<Environment> {
  const carrier = await startCarrier(0);
  const front = await Front.open();
  const credentials_key = randomBytes(32).toString("base64");
  const kv: Record<string, string> = {};
  const homes: Home[] = [];
  for (let index = 0; index < count; index += 1) {
    const project = carrier.world.create({});
    if (project === null) throw new Error("a project without an id of its own was there already");
    const home = new Home(project, `home${index}`, front);
    homes.push(home);
    Object.assign(kv, await recordsOf(home, { space: carrier.rest, public_url: front.url, credentials_key }));
  }
  const log: string[] = [];
  const given = {
    text: { CREDENTIALS_KEY: credentials_key, ADMIN_TOKEN },
    kv,
    said: (line: string) => void log.push(line),
  };
  const { folder } = temporaryFolder();
  let worker = await serve(folder, "first", script, given);
  front.serveBy(worker.url);
  const stop = async () => {
    worker.stop();
    await worker.ended;
  };
  return {
    home(index) {
      const found = homes[index];
      if (!found) throw new Error(`there is no home ${index}`);
      return found;
    },
    log,
    async replaceBy(next) {
      await front.hold();
      await stop();
      worker = await serve(folder, "second", next, { ...given, storage: worker.storage });
      front.serveBy(worker.url);
    },
    async close() {
      await carrier.close();
      await stop();
      await front.close();
    },
  };
}

export function isIn(call: Call, room: string): boolean {
  return call.conference?.settings.name.endsWith(`:${room}`) ?? false;
}

/** RELAY joined it, and its document comes back to be confirmed. */
function isHeld(call: Call): boolean {
  if (call.origin !== "webhook" || call.joined_by !== "relay") return false;
  const { body } = (call.documents.at(-1) ?? {}) as { body?: { duration?: number } }; // A step, as the journal has it.
  return body?.duration !== -1;
}

interface Given {
  space: string;
  public_url: string;
  credentials_key: string;
}

async function recordsOf(
  home: Home,
  { space, public_url, credentials_key }: Given,
): Promise<Record<string, string>> {
  const { project_id, token, signing_key } = home.project;
  const seal = (secret: string) =>
    sealSecret(credentials_key, project_id, secret, new Uint8Array(randomBytes(ivBytes)));
  const project = {
    space,
    contexts: { [home.tenant()]: home.tenant() },
    credentials: await seal(token),
    signing_keys: [await seal(signing_key)],
  };
  const kv: Record<string, string> = { [`project/${project_id}`]: JSON.stringify(project) };
  for (const join_via of ["relay", "document"] as const) {
    const tenant = home.tenant(join_via);
    const dial = { allow: ["+1555*"], from: ["+15550100100"] };
    kv[`tenant/${tenant}`] = JSON.stringify({ project_id, join_via, public_url, dial });
    kv[`ruleset/${tenant}`] = JSON.stringify(rules);
  }
  return kv;
}
