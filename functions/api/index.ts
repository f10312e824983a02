import { Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { describeError, log } from "../log.ts";
import { authentication } from "./authentication.ts";
import { callControlRoute } from "./call-control.ts";
import { callsRoute } from "./calls.ts";
import { conferencesRoute } from "./conferences.ts";
import { dialsRoute } from "./dials.ts";
import { doctorRoute } from "./doctor/route.ts";
import { lobbyRoute } from "./lobby.ts";
import { pinsRoute } from "./pins.ts";
import { recordCheckRoute } from "./record-check.ts";
import { recordingsRoute } from "./recordings.ts";
import { refusal } from "./refusal.ts";
import { rulesetRoute } from "./ruleset/route.ts";
import { sessionRoute } from "./session.ts";

/** Answers hold callers' numbers and rules, so no cache on the way may keep them. */
const notStored: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
};

/** What operators call; every path of it wants `ADMIN_TOKEN`. */
export const api = new Hono<{ Bindings: Env }>()
  .use(secureHeaders())
  .use(notStored)
  .use(authentication)
  .route("/tenants", doctorRoute)
  .route("/tenants", rulesetRoute)
  .route("/tenants", callsRoute)
  .route("/tenants", callControlRoute)
  .route("/tenants", conferencesRoute)
  .route("/tenants", lobbyRoute)
  .route("/tenants", pinsRoute)
  .route("/tenants", dialsRoute)
  .route("/tenants", recordingsRoute)
  .route("/projects", sessionRoute)
  .route("/check", recordCheckRoute)
  .all("*", (c) => refusal(c, 404, "not_found", "The API has no such path."))
  .onError((error, c) => {
    log("error", "api.broke", { error: describeError(error) });
    return refusal(c, 500, "internal", "The API failed; the Worker's log says how.");
  });
