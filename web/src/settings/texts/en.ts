import { account } from './account'
import { audit } from './audit'
import { people } from './people'
import { project } from './project'

export const en = {
  save: 'Save',
  saved: 'Saved',
  cancel: 'Cancel',
  stored: 'I have stored it',
  download: 'Download',
  number: 'Enter a whole number.',

  notAdmin: { title: 'Only admins of the project see this', text: 'Ask one of them to change the settings, or to make you an admin.' },

  nav: { label: 'Settings', numbers: 'Numbers', you: 'You', server: 'Server' },

  roles: { viewer: 'Viewer', editor: 'Editor', admin: 'Admin' },

  roleTexts: {
    viewer: 'Viewer: sees the numbers',
    editor: 'Editor: also sees people, makes alerts',
    admin: 'Admin: also changes the settings',
  },

  ...account,
  ...people,
  ...audit,
  ...project,
}
