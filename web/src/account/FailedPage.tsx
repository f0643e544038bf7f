import { createLink } from '@tanstack/react-router'

import { m } from '../messages'
import { LinkButton } from '../ui/Button'
import { AuthLayout } from './AuthLayout'

const BackLink = createLink(LinkButton)

/** Says why a sign-in with the identity provider failed. */
export function FailedPage({ said }: { said: string }) {
  return (
    <AuthLayout title={m.login.failed} intro={said.charAt(0).toUpperCase() + said.slice(1)}>
      <BackLink to="/login" look="solid" className="h-11! w-full" autoFocus>
        {m.login.back}
      </BackLink>
    </AuthLayout>
  )
}
