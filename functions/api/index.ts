import { Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { describeError, log } from "../log.ts";
import { auditRoutes } from "./audit.ts";
import { authentication } from "./authentication.ts";
import { callControlRoutes } from "./call-control.ts";
import { callsRoutes } from "./calls.ts";
import { conferencesRoutes } from "./conferences.ts";
import type { Api, ApiEnv } from "./context.ts";
import { controlsRoutes } from "./controls.ts";
import { dialsRoutes } from "./dials.ts";
import { doctorRoutes } from "./doctor/route.ts";
import { feedRoutes, feedSocketRoute } from "./feed.ts";
import { lobbyRoutes } from "./lobby.ts";
import { pinRecordsRoutes } from "./pin-records.ts";
import { pinsRoutes } from "./pins.ts";
import { recordCheckRoutes } from "./record-check.ts";
import { recordingMediaRoutes } from "./recording-media.ts";
import { recordingsRoutes } from "./recordings.ts";
import { recordsRoutes } from "./records.ts";
import { refusal } from "./refusal.ts";
import { diffRoutes } from "./ruleset/diff.ts";
import { rulesetRoutes } from "./ruleset/route.ts";
import { versionsRoutes } from "./ruleset/versions.ts";
import { sessionRoutes } from "./session.ts";
import { tokensRoutes } from "./tokens.ts";
import { webhooksRoutes } from "./webhooks.ts";

/** Answers hold callers' numbers and rules, so no cache on the way may keep them. */
const notStored: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
};

/** What operators call; every path of it wants a token. */
export const api: Api = new Hono<ApiEnv>();
// By its ticket alone; and the answer to a WebSocket has headers that can't be changed.
feedSocketRoute(api);
api.use(secureHeaders(), notStored, authentication);
for (const register of [
  doctorRoutes,
  rulesetRoutes,
  versionsRoutes,
  diffRoutes,
  callsRoutes,
  callControlRoutes,
  conferencesRoutes,
  controlsRoutes,
  lobbyRoutes,
  pinsRoutes,
  pinRecordsRoutes,
  dialsRoutes,
  recordingsRoutes,
  recordingMediaRoutes,
  tokensRoutes,
  auditRoutes,
  feedRoutes,
  webhooksRoutes,
  recordsRoutes,
  sessionRoutes,
  recordCheckRoutes,
])
  register(api);
api.all("*", (c) => refusal(c, 404, "not_found", "The API has no such path."));
api.onError((error, c) => {
  log("error", "api.broke", { error: describeError(error) });
  return refusal(c, 500, "internal", "The API failed; the Worker's log says how.");
});
