/**
 * Why a sign-in with the identity provider failed: the server puts it into the page that it answers the return
 * with. The address becomes that of the failure's page, so that the provider's code stays in no history.
 */
export function takeFailure(page: Pick<Document, 'querySelector'>, history: Pick<History, 'replaceState'>, base: string): string {
  const said = page.querySelector('meta[name="weir-failure"]')?.getAttribute('content') ?? ''
  if (said) history.replaceState(null, '', `${base}/sign-in-failed`)
  return said
}
