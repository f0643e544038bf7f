// The routes above all others: the page itself, and what only who is signed in sees.

import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, Outlet, redirect } from '@tanstack/react-router'

import { ApiError } from './api/client'
import { projectsQuery, sessionQuery } from './api/session'
import { AppLayout } from './shell/AppLayout'
import { ErrorPage, NotFoundPage } from './shell/ErrorPage'

interface Context {
  queries: QueryClient
}

export const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  errorComponent: ErrorPage,
  notFoundComponent: () => <NotFoundPage />,
})

/** Paths of this site only, so that a link cannot send a user elsewhere after the login. */
const isOwnPath = (v: unknown): v is string => typeof v === 'string' && /^\/(?![/\\])/.test(v)

export interface NextSearch {
  /** Where to go then. */
  next?: string
}

export const nextSearch = (search: Record<string, unknown>): NextSearch => (isOwnPath(search.next) ? { next: search.next } : {})

/** Of an address that leads here: nothing for the start page. */
const backTo = (href: string): NextSearch => (href === '/' ? {} : { next: href })

/** The server asks everybody for a second factor, and who is signed in has none. */
export const lacksSecondFactor = (error: unknown) => error instanceof ApiError && error.status === 403 && error.code === 'second_factor'

export const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: AppLayout,
  beforeLoad: async ({ context, location }) => {
    const session = await context.queries.ensureQueryData(sessionQuery)
    if (session.setup_required) throw redirect({ to: '/setup' })
    if (!session.user) throw redirect({ to: '/login', search: backTo(location.href) })
    try {
      await context.queries.ensureQueryData(projectsQuery)
    } catch (error) {
      if (lacksSecondFactor(error)) throw redirect({ to: '/second-factor', search: backTo(location.href) })
      throw error
    }
  },
})
