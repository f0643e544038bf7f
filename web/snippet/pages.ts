/**
 * The path that a page is counted under when its address has a router in the
 * hash: "/#/users?id=1" is "/users", "/app#details" is "/app/details".
 */
export function hashPath(address: URL): string {
  const rest = address.hash.replace(/^#!?\/?/, '').split('?')[0]
  return rest ? `${address.pathname.replace(/\/$/, '')}/${rest}` : address.pathname
}

/**
 * Whether one of the globs, with commas between them, is the whole path: "*" is
 * anything within a segment, "**" anything.
 */
export function matches(globs: string | undefined, path: string): boolean {
  return !!globs && globs.split(',').some((glob) => {
    const pattern = glob.trim().replace(/\*+|\W/g, (found) => (found[1] ? '.*' : found === '*' ? '[^/]*' : `\\${found}`))
    return new RegExp(`^${pattern}$`).test(path)
  })
}
