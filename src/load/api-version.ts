/** Which versions of Node-API an addon may ask for here. */

/** An addon may ask for Node-API's experimental features by this version (NAPI_VERSION_EXPERIMENTAL in node_api.h). */
const NAPI_VERSION_EXPERIMENTAL = 2_147_483_647;

/** The latest version that this Node.js has. */
export const NAPI_VERSION_HERE: number = Number(process.versions['napi']);

/** Node.js aborts when it is asked for another one. */
export function isSupportedApiVersion(wanted: number): boolean {
  return wanted <= NAPI_VERSION_HERE || wanted === NAPI_VERSION_EXPERIMENTAL;
}
