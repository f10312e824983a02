import type { Call } from "../../shared/call.ts";
import { describeError, log } from "../log.ts";
import type { RunRest } from "../rest.ts";
import {
  type CallDecider,
  type DecidedCall,
  NotOurs,
  type PointOfCall,
} from "../session/contract/call-flow.ts";
import type { SessionApi } from "../session/contract/session-api.ts";
import { findTenant } from "../tenants/directory.ts";
import type { Project, Tenant } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import type { RequestContext } from "./call-context.ts";
import { reportResolution, resolveCall } from "./resolve-call.ts";

/** Time limit for reading the tenant: the caller hears ringing, or has just heard something. */
const DIRECTORY_MS = 2_500;
/** Time limit for deciding and placing after that: with the commands that follow, less than 3 s of silence. */
const BUDGET_MS = 1_900;

/** What call flows need of the session's connection. */
interface SessionRelay {
  project(): Promise<Project>;
  rest: RunRest;
}

/**
 * RelayCallDecider — decides what calls on RELAY contexts do, by the same rules, seats and history as webhooks. Used by the
 * session.
 */
export class RelayCallDecider implements CallDecider {
  readonly #env: Env;
  readonly #session: SessionApi;
  readonly #relayManager: SessionRelay;
  readonly #keepAlive: (work: Promise<unknown>) => void;

  constructor(
    env: Env,
    session: SessionApi,
    relayManager: SessionRelay,
    keepAlive: (work: Promise<unknown>) => void,
  ) {
    this.#env = env;
    this.#session = session;
    this.#relayManager = relayManager;
    this.#keepAlive = keepAlive;
  }

  /**
   * What the call is to do next: the apology if nothing can be decided.
   * @throws {NotOurs}
   */
  async decide({
    call,
    context,
    made,
    tenant: known,
    received_at,
    sealed,
    keys,
    untold,
  }: PointOfCall): Promise<DecidedCall> {
    const id = known ?? made?.tenant;
    const tenant = id === undefined ? await this.#tenantOf(context, call) : await this.#tenantKnown(id, call);
    if (tenant === null) return { tenant: known, next: { does: "apologise" } };
    const now = Date.now();
    const request: RequestContext = {
      env: this.#env,
      tenant,
      session: this.#session,
      base_url: baseUrl(this.#env, tenant),
      // A fresh call is decided as of its arrival, even if we are late.
      received_at: sealed === undefined ? received_at : now,
      ends_at: now + BUDGET_MS,
      authentic: true,
      ...(untold === undefined ? {} : { untold }),
      rest: (...job) => this.#relayManager.rest(...job),
    };
    const resolution = await resolveCall(
      request,
      keys ? { ...call, keyed: keys } : call,
      { sealed, ...(made ? { made_for: made.decision } : {}) },
      "relay",
    );
    const { call_id, via } = call;
    reportResolution(request, resolution, { ingress: "relay", call_id, via, since: now }, this.#keepAlive);
    return { tenant: tenant.tenant, next: resolution.next };
  }

  /** Where a call of the tenant's comes in by webhook; null if our own URL is not known. */
  async webhookUrl(id: string): Promise<string | null> {
    const tenant = await this.#find(id).catch(() => null);
    const base_url = tenant && baseUrl(this.#env, tenant);
    if (!base_url) return null;
    const { url_fragment } = tenant.record;
    return `${base_url}/hooks/${id}/swml${url_fragment === undefined ? "" : `#${url_fragment}`}`;
  }

  async #tenantKnown(tenant: string, { call_id }: Call): Promise<Tenant | null> {
    try {
      const found = await this.#find(tenant);
      const { project_id } = await this.#relayManager.project();
      if (found === null || found.project.project_id === project_id) return found;
      // Its seats are another session's, and the call is this one's.
      log("error", "call.tenant_moved", { tenant, call: call_id, to: found.project.project_id });
    } catch (error) {
      log("error", "call.tenant_unreadable", { tenant, call: call_id, error: describeError(error) });
    }
    return null;
  }

  async #tenantOf(context: string, { call_id }: Call): Promise<Tenant | null> {
    try {
      const { project_id, contexts } = await this.#relayManager.project();
      const id = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
      if (id === undefined)
        throw new NotOurs(`the project's record has no context ${JSON.stringify(context)}`);
      const tenant = await this.#find(id);
      if (tenant?.project.project_id === project_id) return tenant;
      const why = tenant ? "it belongs to another project" : "there is no such tenant";
      log("error", "context.no_tenant", { project: project_id, context, tenant: id, call: call_id, why });
    } catch (error) {
      if (error instanceof NotOurs) throw error;
      log("error", "context.unreadable", { context, call: call_id, error: describeError(error) });
    }
    return null;
  }

  async #find(id: string): Promise<Tenant | null> {
    return await withTimeout(
      DIRECTORY_MS, // A session asks none but itself: a stub of itself would take workerd down with it, were it aborted then.
      findTenant(this.#env, id, this.#keepAlive, () => this.#session),
    );
  }
}

/** "" if it is not configured: a call on RELAY does not tell it. */
function baseUrl({ PUBLIC_URL = "" }: Env, { record }: Tenant): string {
  return (record.public_url ?? PUBLIC_URL).replace(/\/+$/, "");
}
