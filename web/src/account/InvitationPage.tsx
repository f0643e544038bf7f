import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { createLink, Link } from '@tanstack/react-router'
import { useEffect } from 'react'

import type { Schemas } from '../api/client'
import { acceptInvitation, invitationQuery, logOut, sessionQuery } from '../api/session'
import { m } from '../messages'
import { Button, LinkButton } from '../ui/Button'
import { reason } from '../ui/Answer'
import { Field } from '../ui/Field'
import { AuthLayout } from './AuthLayout'
import { checkNewMember } from './check'
import { FormError } from './FormError'
import { stepOf } from './invitation'
import { dropInvitation, keepInvitation, tabStore } from './link'
import { NewPassword } from './NewPassword'
import { Provider } from './Provider'
import { textLink } from './styles'
import { useEnter } from './useEnter'
import { useForm } from './useForm'

type Offer = Schemas['OfferBody']

const SignInLink = createLink(LinkButton)

const offered = (offer: Offer) =>
  offer.admin ? m.invitation.toAdmin : m.invitation.toProject(offer.project ?? '', offer.role ? m.invitation.roles[offer.role] : '')

/** Shows what an invitation offers, and how to accept it. */
export function InvitationPage({ token }: { token: string }) {
  const { data: offer, error } = useQuery(invitationQuery(token))
  if (error) {
    return (
      <AuthLayout title={m.invitation.overTitle} intro={reason(error)}>
        <Link to="/" className={textLink}>
          {m.error.home}
        </Link>
      </AuthLayout>
    )
  }
  return (
    <AuthLayout title={m.invitation.title} intro={offer ? offered(offer) : m.loading}>
      {offer && <NextStep token={token} offer={offer} />}
    </AuthLayout>
  )
}

function NextStep({ token, offer }: { token: string; offer: Offer }) {
  const { data: session } = useSuspenseQuery(sessionQuery)
  const signedIn = session.user !== null
  // Who signs in with the provider leaves this page, and goes on here afterwards.
  useEffect(() => {
    if (signedIn) dropInvitation(tabStore())
    else keepInvitation(tabStore(), token)
  }, [signedIn, token])

  const enter = useEnter(acceptInvitation, '/')
  const accept: Accepting['accept'] = (more) => enter.mutate({ token, ...more })
  // The step stays while what was sent takes effect: the session is there before the next page.
  const sent = enter.isPending || enter.isSuccess ? enter.variables : undefined
  const step = sent ? (sent.password ? 'create' : 'accept') : stepOf(offer, session)
  switch (step) {
    case 'accept':
      return <Accept email={offer.email} enter={enter} accept={accept} />
    case 'sign in':
      return (
        <>
          <p className="mb-5">{m.invitation.hasAccount(offer.email)}</p>
          <SignInLink to="/login" search={{ next: '/invitation' }} look="solid" className="h-11! w-full" autoFocus>
            {m.account.loginTitle}
          </SignInLink>
        </>
      )
    case 'provider':
      return (
        <>
          <p className="mb-5">{m.invitation.withProvider(offer.email)}</p>
          <Provider name={session.provider ?? ''} />
        </>
      )
    case 'sign out':
      return <SignOut email={offer.email} other={session.user?.email ?? ''} />
    case 'create':
      return (
        <>
          <Create email={offer.email} enter={enter} accept={accept} />
          {session.provider && <Provider name={session.provider} other />}
        </>
      )
  }
}

interface Accepting {
  email: string
  enter: Pick<ReturnType<typeof useEnter>, 'error' | 'isPending'>
  accept: (more?: { name: string; password: string }) => void
}

function Accept({ email, enter, accept }: Accepting) {
  return (
    <div className="grid gap-5">
      <p>{m.invitation.signedIn(email)}</p>
      <FormError error={enter.error} />
      <Button look="solid" disabled={enter.isPending} className="h-11" autoFocus onClick={() => accept()}>
        {m.invitation.accept}
      </Button>
    </div>
  )
}

function SignOut({ email, other }: { email: string; other: string }) {
  const queries = useQueryClient()
  const leave = useMutation({
    mutationFn: logOut,
    onSuccess: () => queries.fetchQuery({ ...sessionQuery, staleTime: 0 }),
  })
  return (
    <div className="grid gap-5">
      <p>{m.invitation.otherAccount(email, other)}</p>
      <FormError error={leave.error} />
      <Button look="solid" disabled={leave.isPending} className="h-11" autoFocus onClick={() => leave.mutate()}>
        {m.account.logout}
      </Button>
    </div>
  )
}

function Create({ email, enter, accept }: Accepting) {
  const { form, faults, submit } = useForm(checkNewMember, ({ name, password }) => accept({ name: name.trim(), password }))
  return (
    <form ref={form} onSubmit={submit} noValidate className="grid gap-5">
      <Field label={m.account.email} type="email" autoComplete="username" value={email} readOnly />
      <Field label={m.account.name} name="name" autoComplete="name" autoFocus error={faults.name} />
      <NewPassword error={faults.password} />
      <FormError error={enter.error} />
      <Button type="submit" look="solid" disabled={enter.isPending} className="h-11">
        {m.invitation.create}
      </Button>
    </form>
  )
}
