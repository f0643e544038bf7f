import type { QueryClient } from '@tanstack/react-query'
import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'

import { FailedPage } from './account/FailedPage'
import { takeFailure } from './account/failure'
import { InvitationPage } from './account/InvitationPage'
import { isLink, takeLink, tabStore, type Link } from './account/link'
import { LoginPage } from './account/LoginPage'
import { ResetPage } from './account/ResetPage'
import { SetupPage } from './account/SetupPage'
import { base } from './api/client'
import { projectsQuery, sessionQuery } from './api/session'
import { app, nextSearch, root, type NextSearch } from './appRoute'
import { isPeriod, type Period } from './project/period'
import { secondFactor, settingsRoutes } from './settings/routes'
import { NoProjectPage } from './shell/NoProjectPage'

interface LoginSearch extends NextSearch {
  /** The password is forgotten: asks for a link. */
  forgotten?: true
  /** The password was changed by a link. */
  changed?: true
}

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: LoginPage,
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    ...nextSearch(search),
    ...(search.forgotten === true ? { forgotten: true } : {}),
    ...(search.changed === true ? { changed: true } : {}),
  }),
  beforeLoad: async ({ context, search }) => {
    const session = await context.queries.ensureQueryData(sessionQuery)
    if (session.setup_required) throw redirect({ to: '/setup' })
    if (session.user) throw redirect({ href: search.next ?? '/' })
  },
})

const failure = takeFailure(document, history, base)

const failed = createRoute({
  getParentRoute: () => root,
  path: '/sign-in-failed',
  component: () => <FailedPage said={failure} />,
  beforeLoad: () => {
    if (!failure) throw redirect({ to: '/login' })
  },
})

/** Read before the router leaves the address that holds it. */
const link = takeLink(location, history, tabStore(), base)
const secretFor = (kind: Link['kind']) => (link?.kind === kind ? link.secret : '')

// A link that is opened in a tab which shows the start page already changes the fragment only.
addEventListener('hashchange', () => {
  if (isLink(location.hash)) location.reload()
})

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: () => <SetupPage code={secretFor('setup')} />,
  beforeLoad: async ({ context }) => {
    const session = await context.queries.ensureQueryData(sessionQuery)
    if (!session.setup_required) throw redirect({ to: '/' })
  },
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: () => <InvitationPage token={secretFor('invitation')} />,
  beforeLoad: async ({ context }) => {
    if (!secretFor('invitation')) throw redirect({ to: '/' })
    await context.queries.ensureQueryData(sessionQuery)
  },
})

const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: () => <ResetPage token={secretFor('reset')} />,
  beforeLoad: () => {
    if (!secretFor('reset')) throw redirect({ to: '/' })
  },
})

/** Whoever has the link may read it, so nobody asks who is signed in. */
const shared = createRoute({
  getParentRoute: () => root,
  path: '/share/$secret',
  component: lazyRouteComponent(() => import('./share/SharedPage'), 'SharedPage'),
})

const index = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: NoProjectPage,
  beforeLoad: async ({ context }) => {
    const first = (await context.queries.ensureQueryData(projectsQuery))[0]
    if (first) throw redirect({ to: '/p/$projectId', params: { projectId: first.id } })
  },
})

export interface ProjectSearch {
  /** Left out for the default. */
  period?: Period
  /** Whether bots are left out. */
  nobots?: true
}

const project = createRoute({
  getParentRoute: () => app,
  path: '/p/$projectId',
  component: lazyRouteComponent(() => import('./project/ProjectPage'), 'ProjectPage'),
  validateSearch: (search: Record<string, unknown>): ProjectSearch => ({
    ...(isPeriod(search.period) ? { period: search.period } : {}),
    ...(search.nobots === true ? { nobots: true } : {}),
  }),
})

const routes = root.addChildren([
  login,
  setup,
  invitation,
  reset,
  failed,
  secondFactor,
  shared,
  app.addChildren([
    index,
    project,
    ...settingsRoutes,
  ]),
])

export const makeRouter = (queries: QueryClient) =>
  createRouter({ routeTree: routes, basepath: base || '/', context: { queries }, defaultPreload: false, scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
