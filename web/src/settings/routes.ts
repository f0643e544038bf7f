import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router'

import { sessionQuery } from '../api/session'
import { app, nextSearch, root } from '../appRoute'
import { auditSearch } from './audit/search'

/** All pages in one file: they are small, and share much. */
const pages = async () => {
  const all = await import('./pages')
  await all.loadTexts()
  return all
}

/** For who must set a second factor up before anything else. */
export const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  component: lazyRouteComponent(pages, 'RequiredFactorPage'),
  validateSearch: nextSearch,
  beforeLoad: async ({ context, search }) => {
    const session = await context.queries.ensureQueryData(sessionQuery)
    if (!session.user) throw redirect({ to: '/login', search })
    if (session.user.second_factor) throw redirect({ href: search.next ?? '/' })
  },
})

export interface SettingsSearch {
  /** The project that the menu shows. */
  project?: string
}

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  component: lazyRouteComponent(pages, 'SettingsLayout'),
  validateSearch: (search: Record<string, unknown>): SettingsSearch =>
    typeof search.project === 'string' ? { project: search.project } : {},
})

const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: '/',
  beforeLoad: ({ search }) => {
    throw redirect({ to: '/settings/account', search })
  },
})

const account = createRoute({
  getParentRoute: () => settings,
  path: '/account',
  component: lazyRouteComponent(pages, 'AccountPage'),
})

const ownTokens = createRoute({
  getParentRoute: () => settings,
  path: '/tokens',
  component: lazyRouteComponent(pages, 'OwnTokensPage'),
})

export interface UsersSearch {
  /** Part of the name or address of who is looked for. */
  find?: string | undefined
  /** The id of the account that is open. */
  user?: string | undefined
}

const users = createRoute({
  getParentRoute: () => settings,
  path: '/users',
  component: lazyRouteComponent(pages, 'UsersPage'),
  validateSearch: (search: Record<string, unknown>): UsersSearch => ({
    ...(typeof search.find === 'string' ? { find: search.find } : {}),
    ...(typeof search.user === 'string' ? { user: search.user } : {}),
  }),
})

const audit = createRoute({
  getParentRoute: () => settings,
  path: '/audit',
  component: lazyRouteComponent(pages, 'ServerAuditPage'),
  validateSearch: auditSearch,
})

const deletions = createRoute({
  getParentRoute: () => settings,
  path: '/deletions',
  component: lazyRouteComponent(pages, 'DeletionsPage'),
})

const projectSettings = createRoute({
  getParentRoute: () => app,
  path: '/p/$projectId/settings',
  component: lazyRouteComponent(pages, 'SettingsLayout'),
})

const projectIndex = createRoute({
  getParentRoute: () => projectSettings,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/p/$projectId/settings/general', params })
  },
})

const general = createRoute({
  getParentRoute: () => projectSettings,
  path: '/general',
  component: lazyRouteComponent(pages, 'GeneralPage'),
})

const keys = createRoute({
  getParentRoute: () => projectSettings,
  path: '/keys',
  component: lazyRouteComponent(pages, 'KeysPage'),
})

const data = createRoute({
  getParentRoute: () => projectSettings,
  path: '/data',
  component: lazyRouteComponent(pages, 'DataPage'),
})

const filters = createRoute({
  getParentRoute: () => projectSettings,
  path: '/filters',
  component: lazyRouteComponent(pages, 'FiltersPage'),
})

const limits = createRoute({
  getParentRoute: () => projectSettings,
  path: '/limits',
  component: lazyRouteComponent(pages, 'LimitsPage'),
})

const members = createRoute({
  getParentRoute: () => projectSettings,
  path: '/members',
  component: lazyRouteComponent(pages, 'MembersPage'),
})

const projectTokens = createRoute({
  getParentRoute: () => projectSettings,
  path: '/tokens',
  component: lazyRouteComponent(pages, 'ProjectTokensPage'),
})

const projectAudit = createRoute({
  getParentRoute: () => projectSettings,
  path: '/audit',
  component: lazyRouteComponent(pages, 'ProjectAuditPage'),
  validateSearch: auditSearch,
})

export const settingsRoutes = [
  settings.addChildren([settingsIndex, account, ownTokens, users, audit, deletions]),
  projectSettings.addChildren([projectIndex, general, keys, data, filters, limits, members, projectTokens, projectAudit]),
] as const
