"""customer care: desk, teams, policies, mailboxes, articles, customers, tickets and what belongs to them

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
from models import full_text
from models.base import Json
from sqlalchemy.dialects import mysql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('absence',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_absence_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_absence_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_absence'))
    )
    op.create_index(op.f('ix_absence_account_id'), 'absence', ['account_id'])
    op.create_index(op.f('ix_absence_workspace_id'), 'absence', ['workspace_id'])
    op.create_table('customer',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=True),
    sa.Column('mailed_at', sa.BigInteger(), nullable=False),
    sa.Column('mailed_count', sa.Integer(), nullable=False),
    sa.Column('returned', sa.String(length=300), nullable=False),
    sa.Column('returned_at', sa.BigInteger(), nullable=False),
    sa.Column('reached_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_customer_account_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_customer_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customer')),
    sa.UniqueConstraint('workspace_id', 'email', name=op.f('uq_customer_workspace_id_email'))
    )
    op.create_index(op.f('ix_customer_account_id'), 'customer', ['account_id'])
    op.create_index(op.f('ix_customer_workspace_id'), 'customer', ['workspace_id'])
    op.create_table('desk',
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('next_number', sa.Integer(), nullable=False),
    sa.Column('close_days', sa.Integer(), nullable=False),
    sa.Column('forgotten_days', sa.Integer(), nullable=False),
    sa.Column('signature', sa.String(length=1000), nullable=False),
    sa.Column('answers', sa.Boolean(), nullable=False),
    sa.Column('asks', sa.Boolean(), nullable=False),
    sa.Column('links_version', sa.Integer(), nullable=False),
    sa.Column('strangers_at', sa.BigInteger(), nullable=False),
    sa.Column('strangers', sa.Integer(), nullable=False),
    sa.Column('indexed_at', sa.BigInteger(), nullable=True),
    sa.Column('index_key', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_desk_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('workspace_id', name=op.f('pk_desk')),
    sa.UniqueConstraint('slug', name=op.f('uq_desk_slug'))
    )
    op.create_table('team',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('hours', Json(), nullable=True),
    sa.Column('holidays', sa.String(length=12), nullable=False),
    sa.Column('closed', Json(), nullable=True),
    sa.Column('assigns', sa.String(length=8), nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_team_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_team')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_team_workspace_id_name'))
    )
    op.create_index(op.f('ix_team_workspace_id'), 'team', ['workspace_id'])
    op.create_table('team_member',
    sa.Column('team_id', sa.String(length=28), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('lead', sa.Boolean(), nullable=False),
    sa.Column('takes', sa.Boolean(), nullable=False),
    sa.Column('last_turn', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_team_member_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_team_member_team_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_team_member_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('team_id', 'account_id', name=op.f('pk_team_member'))
    )
    op.create_index(op.f('ix_team_member_account_id'), 'team_member', ['account_id'])
    op.create_index(op.f('ix_team_member_workspace_id'), 'team_member', ['workspace_id'])
    op.create_table('topic',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('team_id', sa.String(length=28), nullable=True),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_topic_team_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_topic_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_topic')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_topic_workspace_id_name'))
    )
    op.create_index(op.f('ix_topic_team_id'), 'topic', ['team_id'])
    op.create_index(op.f('ix_topic_workspace_id'), 'topic', ['workspace_id'])
    op.create_table('article',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('body', sa.Text().with_variant(mysql.LONGTEXT(), 'mariadb').with_variant(mysql.LONGTEXT(), 'mysql'), nullable=False),
    sa.Column('topic_id', sa.String(length=28), nullable=True),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.Column('views', sa.Integer(), nullable=False),
    sa.Column('helped', sa.Integer(), nullable=False),
    sa.Column('unhelpful', sa.Integer(), nullable=False),
    sa.Column('written_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_article_topic_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_article_workspace_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['written_by'], ['account.id'], name=op.f('fk_article_written_by'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article'))
    )
    op.create_index(op.f('ix_article_topic_id'), 'article', ['topic_id'])
    op.create_index(op.f('ix_article_workspace_id'), 'article', ['workspace_id'])
    op.create_table('inlet',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('plus', sa.Boolean(), nullable=False),
    sa.Column('host', sa.String(length=253), nullable=False),
    sa.Column('port', sa.Integer(), nullable=False),
    sa.Column('security', sa.String(length=8), nullable=False),
    sa.Column('user_name', sa.String(length=254), nullable=False),
    sa.Column('sealed_password', sa.String(length=1000), nullable=False),
    sa.Column('folder', sa.String(length=120), nullable=False),
    sa.Column('topic_id', sa.String(length=28), nullable=True),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('uid_validity', sa.BigInteger(), nullable=False),
    sa.Column('last_uid', sa.BigInteger(), nullable=False),
    sa.Column('checked_at', sa.BigInteger(), nullable=True),
    sa.Column('trouble', sa.String(length=500), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('read_at', sa.BigInteger(), nullable=True),
    sa.Column('tried', Json(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_inlet_topic_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_inlet_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inlet'))
    )
    op.create_index(op.f('ix_inlet_workspace_id'), 'inlet', ['workspace_id'])
    op.create_table('policy',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=True),
    sa.Column('topic_id', sa.String(length=28), nullable=True),
    sa.Column('first_minutes', sa.Integer(), nullable=True),
    sa.Column('solve_minutes', sa.Integer(), nullable=True),
    sa.Column('around_the_clock', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_policy_topic_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_policy_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy'))
    )
    op.create_index(op.f('ix_policy_topic_id'), 'policy', ['topic_id'])
    op.create_index(op.f('ix_policy_workspace_id'), 'policy', ['workspace_id'])
    op.create_table('ticket',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('customer_id', sa.String(length=28), nullable=False),
    sa.Column('topic_id', sa.String(length=28), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('team_id', sa.String(length=28), nullable=True),
    sa.Column('assignee_id', sa.String(length=28), nullable=True),
    sa.Column('source', sa.String(length=10), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('links_version', sa.Integer(), nullable=False),
    sa.Column('merged_into_id', sa.String(length=28), nullable=True),
    sa.Column('intake_id', sa.String(length=28), nullable=True),
    sa.Column('foreign_key', sa.String(length=80), nullable=False),
    sa.Column('policy_id', sa.String(length=28), nullable=True),
    sa.Column('first_minutes', sa.Integer(), nullable=True),
    sa.Column('solve_minutes', sa.Integer(), nullable=True),
    sa.Column('spent', sa.BigInteger(), nullable=False),
    sa.Column('clock_at', sa.BigInteger(), nullable=True),
    sa.Column('first_due_at', sa.BigInteger(), nullable=True),
    sa.Column('solve_due_at', sa.BigInteger(), nullable=True),
    sa.Column('first_mark', sa.Integer(), nullable=False),
    sa.Column('solve_mark', sa.Integer(), nullable=False),
    sa.Column('next_mark_at', sa.BigInteger(), nullable=True),
    sa.Column('first_taken', sa.BigInteger(), nullable=True),
    sa.Column('solve_taken', sa.BigInteger(), nullable=True),
    sa.Column('first_in_time', sa.Boolean(), nullable=True),
    sa.Column('solve_in_time', sa.Boolean(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('heard_at', sa.BigInteger(), nullable=True),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('known', sa.String(length=10), nullable=False),
    sa.Column('solved_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('reopened', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['assignee_id'], ['account.id'], name=op.f('fk_ticket_assignee_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_ticket_customer_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_ticket_intake_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['merged_into_id'], ['ticket.id'], name=op.f('fk_ticket_merged_into_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['policy_id'], ['policy.id'], name=op.f('fk_ticket_policy_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_ticket_team_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_ticket_topic_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('workspace_id', 'number', name=op.f('uq_ticket_workspace_id_number'))
    )
    op.create_index('ix_ticket_customer', 'ticket', ['customer_id', 'created_at'])
    op.create_index('ix_ticket_foreign', 'ticket', ['workspace_id', 'foreign_key'])
    op.create_index('ix_ticket_found', 'ticket', ['id', 'changed_at'])
    op.create_index(op.f('ix_ticket_intake_id'), 'ticket', ['intake_id'])
    op.create_index('ix_ticket_list', 'ticket', ['workspace_id', 'status', 'changed_at'])
    op.create_index('ix_ticket_made', 'ticket', ['workspace_id', 'created_at'])
    op.create_index('ix_ticket_marks', 'ticket', ['next_mark_at'])
    op.create_index(op.f('ix_ticket_merged_into_id'), 'ticket', ['merged_into_id'])
    op.create_index('ix_ticket_mine', 'ticket', ['workspace_id', 'assignee_id', 'status', 'changed_at'])
    op.create_index('ix_ticket_over', 'ticket', ['status', 'changed_at'])
    op.create_index(op.f('ix_ticket_policy_id'), 'ticket', ['policy_id'])
    op.create_index('ix_ticket_first_due', 'ticket', ['workspace_id', 'status', 'answered_at', 'first_due_at'])
    op.create_index('ix_ticket_priority', 'ticket', ['workspace_id', 'status', 'priority', 'changed_at'])
    op.create_index('ix_ticket_solve_due', 'ticket', ['workspace_id', 'status', 'solve_due_at'])
    op.create_index('ix_ticket_team', 'ticket', ['workspace_id', 'team_id', 'status', 'changed_at'])
    op.create_index(op.f('ix_ticket_topic_id'), 'ticket', ['topic_id'])
    op.create_index('ix_ticket_when', 'ticket', ['workspace_id', 'changed_at'])
    op.create_table('presence',
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('writes', sa.Boolean(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_presence_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_presence_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_presence_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', 'account_id', name=op.f('pk_presence'))
    )
    op.create_index(op.f('ix_presence_seen_at'), 'presence', ['seen_at'])
    op.create_index(op.f('ix_presence_workspace_id'), 'presence', ['workspace_id'])
    op.create_table('rating',
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('words', sa.String(length=1000), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_rating_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_rating_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_rating'))
    )
    op.create_index(op.f('ix_rating_at'), 'rating', ['at'])
    op.create_index(op.f('ix_rating_workspace_id'), 'rating', ['workspace_id'])
    op.create_table('received',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('inlet_id', sa.String(length=28), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('message_id', sa.String(length=64), nullable=False),
    sa.Column('sender', sa.String(length=254), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('ticket_id', sa.String(length=28), nullable=True),
    sa.Column('data', Json(), nullable=True),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['inlet_id'], ['inlet.id'], name=op.f('fk_received_inlet_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_received_ticket_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_received_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_received')),
    sa.UniqueConstraint('workspace_id', 'fingerprint', name=op.f('uq_received_workspace_id_fingerprint'))
    )
    op.create_index('ix_received_at', 'received', ['workspace_id', 'at'])
    op.create_index('ix_received_outcome', 'received', ['outcome', 'workspace_id', 'at'])
    op.create_index(op.f('ix_received_message_id'), 'received', ['message_id'])
    op.create_index(op.f('ix_received_ticket_id'), 'received', ['ticket_id'])
    op.create_table('ticket_copy',
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('reads', sa.Boolean(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_copy_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_copy_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', 'email', name=op.f('pk_ticket_copy'))
    )
    op.create_index(op.f('ix_ticket_copy_workspace_id'), 'ticket_copy', ['workspace_id'])
    op.create_table('ticket_event',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('what', sa.String(length=20), nullable=False),
    sa.Column('was', sa.String(length=120), nullable=False),
    sa.Column('became', sa.String(length=120), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=True),
    sa.Column('why', sa.String(length=200), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_ticket_event_account_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_event_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_event_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_event'))
    )
    op.create_index('ix_ticket_event_of', 'ticket_event', ['ticket_id', 'at', 'id'])
    op.create_index(op.f('ix_ticket_event_workspace_id'), 'ticket_event', ['workspace_id'])
    op.create_table('ticket_link',
    sa.Column('one_id', sa.String(length=28), nullable=False),
    sa.Column('other_id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['one_id'], ['ticket.id'], name=op.f('fk_ticket_link_one_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['other_id'], ['ticket.id'], name=op.f('fk_ticket_link_other_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_link_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('one_id', 'other_id', name=op.f('pk_ticket_link'))
    )
    op.create_index(op.f('ix_ticket_link_other_id'), 'ticket_link', ['other_id'])
    op.create_index(op.f('ix_ticket_link_workspace_id'), 'ticket_link', ['workspace_id'])
    op.create_table('ticket_message',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=True),
    sa.Column('customer_id', sa.String(length=28), nullable=True),
    sa.Column('text', sa.Text().with_variant(mysql.LONGTEXT(), 'mariadb').with_variant(mysql.LONGTEXT(), 'mysql'), nullable=False),
    sa.Column('quoted', sa.Text().with_variant(mysql.LONGTEXT(), 'mariadb').with_variant(mysql.LONGTEXT(), 'mysql'), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('source', sa.String(length=10), nullable=False),
    sa.Column('remarks', Json(), nullable=True),
    sa.Column('said_in', sa.Integer(), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_ticket_message_account_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_ticket_message_customer_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_message_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_message_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_message'))
    )
    op.create_index('ix_ticket_message_fingerprint', 'ticket_message', ['workspace_id', 'fingerprint'])
    op.create_index('ix_ticket_message_of', 'ticket_message', ['ticket_id', 'at', 'id'])
    op.create_index(op.f('ix_ticket_message_workspace_id'), 'ticket_message', ['workspace_id'])
    op.create_table('ticket_tag',
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_tag_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_tag_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', 'name', name=op.f('pk_ticket_tag'))
    )
    op.create_index('ix_ticket_tag_name', 'ticket_tag', ['workspace_id', 'name', 'ticket_id'])
    op.create_table('ticket_words',
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('words', sa.Text().with_variant(mysql.LONGTEXT(), 'mariadb').with_variant(mysql.LONGTEXT(), 'mysql'), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_words_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_words_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_ticket_words'))
    )
    op.create_index(op.f('ix_ticket_words_workspace_id'), 'ticket_words', ['workspace_id'])
    for statement in full_text.MAKE.get(op.get_context().dialect.name, ()):
        op.execute(statement)
    op.create_table('ticket_file',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('ticket_id', sa.String(length=28), nullable=False),
    sa.Column('message_id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=80), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['ticket_message.id'], name=op.f('fk_ticket_file_message_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_file_ticket_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_ticket_file_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_file'))
    )
    op.create_index(op.f('ix_ticket_file_message_id'), 'ticket_file', ['message_id'])
    op.create_index(op.f('ix_ticket_file_ticket_id'), 'ticket_file', ['ticket_id'])
    op.create_index(op.f('ix_ticket_file_workspace_id'), 'ticket_file', ['workspace_id'])

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ticket_id', sa.String(length=28), nullable=True))
        batch_op.add_column(sa.Column('message_id', sa.String(length=28), nullable=True))
        batch_op.add_column(sa.Column('automatic', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('due_at', sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f('ix_delivery_ticket_id'), ['ticket_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_delivery_ticket_id'))
        batch_op.drop_column('due_at')
        batch_op.drop_column('automatic')
        batch_op.drop_column('message_id')
        batch_op.drop_column('ticket_id')
    for table in (
        'ticket_file',
        'ticket_words',
        'ticket_tag',
        'ticket_message',
        'ticket_link',
        'ticket_event',
        'ticket_copy',
        'received',
        'rating',
        'presence',
        'ticket',
        'policy',
        'inlet',
        'article',
        'topic',
        'team_member',
        'team',
        'desk',
        'customer',
        'absence',
    ):
        op.drop_table(table)
    for statement in full_text.DROP.get(op.get_context().dialect.name, ()):
        op.execute(statement)
