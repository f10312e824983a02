import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterAll } from "vitest";

// A session that still tries to reconnect when its file's tests are over, or that its alarm brings back, keeps the runner
// from the next file.
afterAll(async () => {
  await reset();
  await abortAllDurableObjects();
});
