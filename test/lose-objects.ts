import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll } from "vitest";

// A session that still tries to reconnect when its file's tests are over keeps the runner from the next file.
afterAll(async () => {
  await abortAllDurableObjects();
});
