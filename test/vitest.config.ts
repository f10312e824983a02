import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests that need Node itself (the carrier, the command line, SignalWire's SDK) end in `.node.test.ts`. */
const nodeTests = "test/**/*.node.test.ts";
/** Tests of what has no state: they share a worker, which spares each file the start of its own. */
const pureTests = "test/shared/**/*.test.ts";
/** Tests that judge seconds of many calls at once: what runs beside them would be what they measure. */
const timedTests = "test/chaos/chaos.node.test.ts";

const wrangler = { configPath: "./wrangler.toml" };

export default defineConfig({
  test: {
    // Most tests wait for sockets and clocks more than they compute.
    maxWorkers: 3,
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler,
            miniflare: {
              bindings: {
                PUBLIC_URL: "https://partyline.test",
                ADMIN_TOKEN: "test-admin-token",
                CREDENTIALS_KEY: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
              },
              r2Buckets: ["RECORDINGS"],
            },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: [nodeTests, pureTests],
          globalSetup: ["test/carrier-process.ts"],
          setupFiles: ["test/lose-objects.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler })],
        test: {
          name: "pure",
          include: [pureTests],
          exclude: [nodeTests],
          isolate: false,
          testTimeout: 20_000,
        },
      },
      { test: { name: "node", include: [nodeTests], exclude: [timedTests], testTimeout: 20_000 } },
      // Runs after all the others.
      { test: { name: "timed", include: [timedTests], sequence: { groupOrder: 1 } } },
    ],
  },
});
