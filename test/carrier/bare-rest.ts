import type { CarrierProject } from "./client.ts";

/** A conference or participant in a list, as far as tests look. */
export interface Listed {
  readonly sid: string;
  readonly call_sid: string;
  readonly friendly_name: string;
  readonly status: string;
}

/** What the lists of the compatibility API hold. */
export interface Lists {
  readonly conferences: Listed[];
  readonly participants: Listed[];
  readonly uri: string;
  readonly next_page_uri: string | null;
}

/** A REST client with no will of its own: it sends what a test says, with one project's credentials. */
export class BareRest {
  readonly #origin: string;
  readonly #project: CarrierProject;

  constructor(origin: string, project: CarrierProject) {
    this.#origin = origin;
    this.#project = project;
  }

  send(path: string, method = "GET", body?: URLSearchParams | string): Promise<Response> {
    const { project_id, token } = this.#project;
    return fetch(this.#origin + path, {
      method,
      headers: { authorization: `Basic ${btoa(`${project_id}:${token}`)}` },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** A path of the compatibility API, below the account's. */
  laml(path: string): string {
    return `/api/laml/2010-04-01/Accounts/${this.#project.project_id}${path}`;
  }

  async list(path: string): Promise<Lists> {
    // The shape is asserted by the tests that read it.
    return (await (await this.send(path)).json()) as Lists;
  }

  /** `query` such as `Status=in-progress`. */
  async conferences(query = ""): Promise<Listed[]> {
    return (await this.list(this.laml(`/Conferences.json?${query}`))).conferences;
  }

  async participants(conference_sid: string): Promise<Listed[]> {
    return (await this.list(this.laml(`/Conferences/${conference_sid}/Participants.json`))).participants;
  }
}
