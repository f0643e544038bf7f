import type { Schemas } from '../api/client'

/**
 * What somebody with an invitation does next: accept it; sign in first, by the sign-in page or
 * with the identity provider; sign out, since they are somebody else; or make an account.
 */
export type Step = 'accept' | 'sign in' | 'provider' | 'sign out' | 'create'

export function stepOf(offer: Schemas['OfferBody'], session: Schemas['SessionBody']): Step {
  if (session.user) return session.user.email.toLowerCase() === offer.email.toLowerCase() ? 'accept' : 'sign out'
  if (session.no_passwords) return 'provider'
  return offer.account ? 'sign in' : 'create'
}
