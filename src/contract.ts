/** The name under which an addon exports its hooks. A protocol between the addon and its handle: users do not see it. */
export const HOOKS_EXPORT = 'napiReload';
