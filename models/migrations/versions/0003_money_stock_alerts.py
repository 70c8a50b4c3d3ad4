"""budgets, stock, imports, alerts and the mail about them

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from models.base import Json

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('bounced',
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_bounced'))
    )
    op.create_table('mail_event',
    sa.Column('id', sa.String(length=120), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_event'))
    )
    with op.batch_alter_table('mail_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_event_at'), ['at'], unique=False)

    op.create_table('alert',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('area', sa.String(length=16), nullable=False),
    sa.Column('rule', sa.String(length=24), nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('period', sa.String(length=24), nullable=False),
    sa.Column('episode', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('text', sa.String(length=1000), nullable=False),
    sa.Column('link', sa.String(length=200), nullable=False),
    sa.Column('data', Json(), nullable=True),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('moved_at', sa.BigInteger(), nullable=False),
    sa.Column('resolved_at', sa.BigInteger(), nullable=True),
    sa.Column('acknowledged_at', sa.BigInteger(), nullable=True),
    sa.Column('acknowledged_by', sa.String(length=28), nullable=True),
    sa.ForeignKeyConstraint(['acknowledged_by'], ['account.id'], name=op.f('fk_alert_acknowledged_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_alert_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert')),
    sa.UniqueConstraint('workspace_id', 'rule', 'subject', 'period', 'episode', name=op.f('uq_alert_workspace_id_rule_subject_period_episode'))
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.create_index('ix_alert_rule', ['rule', 'state'], unique=False)
        batch_op.create_index('ix_alert_state', ['workspace_id', 'state', 'id'], unique=False)

    op.create_table('category',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('hidden_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_category_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_category')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_category_workspace_id_name'))
    )
    with op.batch_alter_table('category', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_category_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('channel',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('scheme', sa.String(length=20), nullable=False),
    sa.Column('sealed_url', sa.String(length=2000), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_channel_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_channel'))
    )
    with op.batch_alter_table('channel', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_channel_account_id'), ['account_id'], unique=False)

    op.create_table('location',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_location_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_location')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_location_workspace_id_name'))
    )
    with op.batch_alter_table('location', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_location_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('mute',
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('rule', sa.String(length=24), nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=True),
    sa.Column('account_id', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_mute_account_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_mute_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('workspace_id', 'rule', 'subject', name=op.f('pk_mute'))
    )
    op.create_table('purse',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('opening', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_purse_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purse')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_purse_workspace_id_name'))
    )
    with op.batch_alter_table('purse', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_purse_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('supplier',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('code', sa.String(length=60), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('phone', sa.String(length=40), nullable=False),
    sa.Column('lead_days', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_supplier_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supplier')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_supplier_workspace_id_name'))
    )
    with op.batch_alter_table('supplier', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_supplier_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('wish',
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('repeat', sa.String(length=8), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('monthday', sa.Integer(), nullable=False),
    sa.Column('areas', Json(), nullable=True),
    sa.Column('quiet_from', sa.Integer(), nullable=True),
    sa.Column('quiet_until', sa.Integer(), nullable=True),
    sa.Column('pictures', sa.Boolean(), nullable=False),
    sa.Column('amounts', sa.Boolean(), nullable=False),
    sa.Column('nag', sa.Boolean(), nullable=False),
    sa.Column('next_due', sa.BigInteger(), nullable=True),
    sa.Column('last_slot', sa.BigInteger(), nullable=True),
    sa.Column('links_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_wish_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_wish'))
    )
    with op.batch_alter_table('wish', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_wish_next_due'), ['next_due'], unique=False)

    op.create_table('budget',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('category_id', sa.String(length=28), nullable=True),
    sa.Column('limit_amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('period', sa.String(length=8), nullable=False),
    sa.Column('starts', sa.Integer(), nullable=False),
    sa.Column('rollover', sa.Boolean(), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('rolls_from', sa.Date(), nullable=True),
    sa.Column('brought', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('archived_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_budget_category_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_budget_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_budget_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_budget'))
    )
    with op.batch_alter_table('budget', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_budget_category_id'), ['category_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_budget_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('intake',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('run_id', sa.String(length=28), nullable=True),
    sa.Column('subject', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('layout', Json(), nullable=True),
    sa.Column('counts', Json(), nullable=True),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('applied_at', sa.BigInteger(), nullable=True),
    sa.Column('undone_at', sa.BigInteger(), nullable=True),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_intake_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_intake_run_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_intake_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_intake'))
    )
    with op.batch_alter_table('intake', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_intake_run_id'), ['run_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_intake_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('move',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('alert_id', sa.String(length=28), nullable=False),
    sa.Column('what', sa.String(length=10), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], name=op.f('fk_move_alert_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_move_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_move'))
    )
    with op.batch_alter_table('move', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_move_alert_id'), ['alert_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_move_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('payee',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('category_id', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_payee_category_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_payee_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payee')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_payee_workspace_id_name'))
    )
    with op.batch_alter_table('payee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_payee_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('intake_line',
    sa.Column('intake_id', sa.String(length=28), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('what', Json(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_intake_line_intake_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_intake_line_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('intake_id', 'number', name=op.f('pk_intake_line'))
    )
    with op.batch_alter_table('intake_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_intake_line_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('notice',
    sa.Column('move_id', sa.String(length=28), nullable=False),
    sa.Column('account_id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('area', sa.String(length=16), nullable=False),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('delivery_id', sa.String(length=28), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_account_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['move_id'], ['move.id'], name=op.f('fk_notice_move_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_notice_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('move_id', 'account_id', name=op.f('pk_notice'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_open', ['account_id', 'told_at'], unique=False)
        batch_op.create_index('ix_notice_wait', ['told_at', 'workspace_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notice_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('picture',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('delivery_id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('alt', sa.String(length=500), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_picture_delivery_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_picture_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_picture'))
    )
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_picture_delivery_id'), ['delivery_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_picture_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('product',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('sku', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('unit', sa.String(length=40), nullable=False),
    sa.Column('category', sa.String(length=80), nullable=False),
    sa.Column('barcode', sa.String(length=64), nullable=True),
    sa.Column('price', sa.BigInteger(), nullable=False),
    sa.Column('cost', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('supplier_id', sa.String(length=28), nullable=True),
    sa.Column('location_id', sa.String(length=28), nullable=True),
    sa.Column('reorder_level', sa.BigInteger(), nullable=False),
    sa.Column('target', sa.BigInteger(), nullable=True),
    sa.Column('pack_size', sa.BigInteger(), nullable=False),
    sa.Column('lead_days', sa.Integer(), nullable=True),
    sa.Column('perishable', sa.Boolean(), nullable=False),
    sa.Column('discontinued', sa.Boolean(), nullable=False),
    sa.Column('on_hand', sa.BigInteger(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('intake_id', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_product_intake_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['location_id'], ['location.id'], name=op.f('fk_product_location_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_product_supplier_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_product_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_product')),
    sa.UniqueConstraint('workspace_id', 'sku', name=op.f('uq_product_workspace_id_sku'))
    )
    with op.batch_alter_table('product', schema=None) as batch_op:
        batch_op.create_index('ix_product_barcode', ['workspace_id', 'barcode'], unique=False)
        batch_op.create_index('ix_product_category', ['workspace_id', 'category'], unique=False)
        batch_op.create_index('ix_product_name', ['workspace_id', 'name'], unique=False)
        batch_op.create_index(batch_op.f('ix_product_intake_id'), ['intake_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_product_supplier_id'), ['supplier_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_product_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('purchase',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('supplier_id', sa.String(length=28), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('expected_on', sa.Date(), nullable=True),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('intake_id', sa.String(length=28), nullable=True),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_purchase_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_purchase_intake_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_purchase_supplier_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_purchase_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase')),
    sa.UniqueConstraint('workspace_id', 'number', name=op.f('uq_purchase_workspace_id_number'))
    )
    with op.batch_alter_table('purchase', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_purchase_intake_id'), ['intake_id'], unique=False)
        batch_op.create_index('ix_purchase_state', ['workspace_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_purchase_supplier_id'), ['supplier_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_purchase_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('recurring',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('purse_id', sa.String(length=28), nullable=False),
    sa.Column('category_id', sa.String(length=28), nullable=True),
    sa.Column('payee_id', sa.String(length=28), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('every', sa.String(length=8), nullable=False),
    sa.Column('steps', sa.Integer(), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.Column('next_on', sa.Date(), nullable=True),
    sa.Column('last_on', sa.Date(), nullable=True),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_recurring_category_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_recurring_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['payee_id'], ['payee.id'], name=op.f('fk_recurring_payee_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['purse_id'], ['purse.id'], name=op.f('fk_recurring_purse_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_recurring_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recurring'))
    )
    with op.batch_alter_table('recurring', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recurring_next_on'), ['next_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_recurring_purse_id'), ['purse_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_recurring_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('entry',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('purse_id', sa.String(length=28), nullable=False),
    sa.Column('category_id', sa.String(length=28), nullable=True),
    sa.Column('payee_id', sa.String(length=28), nullable=True),
    sa.Column('on_day', sa.Date(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('split_id', sa.String(length=28), nullable=True),
    sa.Column('transfer_id', sa.String(length=28), nullable=True),
    sa.Column('recurring_id', sa.String(length=28), nullable=True),
    sa.Column('intake_id', sa.String(length=28), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=True),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_entry_category_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_entry_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_entry_intake_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['payee_id'], ['payee.id'], name=op.f('fk_entry_payee_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['purse_id'], ['purse.id'], name=op.f('fk_entry_purse_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['recurring_id'], ['recurring.id'], name=op.f('fk_entry_recurring_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_entry_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry')),
    sa.UniqueConstraint('recurring_id', 'on_day', name=op.f('uq_entry_recurring_id_on_day'))
    )
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.create_index('ix_entry_fingerprint', ['workspace_id', 'fingerprint'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_intake_id'), ['intake_id'], unique=False)
        batch_op.create_index('ix_entry_list', ['workspace_id', 'on_day', 'id', 'currency', 'transfer_id', 'category_id', 'recurring_id', 'amount'], unique=False)
        batch_op.create_index('ix_entry_payee', ['payee_id', 'workspace_id', 'on_day', 'id'], unique=False)
        batch_op.create_index('ix_entry_purse', ['purse_id', 'workspace_id', 'on_day', 'amount'], unique=False)
        batch_op.create_index('ix_entry_spent', ['category_id', 'on_day', 'currency', 'transfer_id', 'recurring_id', 'amount', 'workspace_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_split_id'), ['split_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_transfer_id'), ['transfer_id'], unique=False)

    op.create_table('purchase_line',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('purchase_id', sa.String(length=28), nullable=False),
    sa.Column('product_id', sa.String(length=28), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('unit_cost', sa.BigInteger(), nullable=True),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_purchase_line_product_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchase.id'], name=op.f('fk_purchase_line_purchase_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_purchase_line_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase_line'))
    )
    with op.batch_alter_table('purchase_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_purchase_line_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_purchase_line_purchase_id'), ['purchase_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_purchase_line_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('movement',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('product_id', sa.String(length=28), nullable=False),
    sa.Column('location_id', sa.String(length=28), nullable=True),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.Column('on_day', sa.Date(), nullable=False),
    sa.Column('counted', sa.BigInteger(), nullable=True),
    sa.Column('unit_price', sa.BigInteger(), nullable=True),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('transfer_id', sa.String(length=28), nullable=True),
    sa.Column('reverses_id', sa.String(length=28), nullable=True),
    sa.Column('line_id', sa.String(length=28), nullable=True),
    sa.Column('intake_id', sa.String(length=28), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=True),
    sa.Column('created_by', sa.String(length=28), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_movement_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['intake_id'], ['intake.id'], name=op.f('fk_movement_intake_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['line_id'], ['purchase_line.id'], name=op.f('fk_movement_line_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['location_id'], ['location.id'], name=op.f('fk_movement_location_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_movement_product_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_movement_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_movement'))
    )
    with op.batch_alter_table('movement', schema=None) as batch_op:
        batch_op.create_index('ix_movement_fingerprint', ['workspace_id', 'fingerprint'], unique=False)
        batch_op.create_index(batch_op.f('ix_movement_intake_id'), ['intake_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_movement_line_id'), ['line_id'], unique=False)
        batch_op.create_index('ix_movement_expiry', ['workspace_id', 'expires_on'], unique=False)
        batch_op.create_index('ix_movement_list', ['workspace_id', 'on_day', 'id'], unique=False)
        batch_op.create_index('ix_movement_place', ['location_id', 'product_id', 'quantity'], unique=False)
        batch_op.create_index('ix_movement_product', ['product_id', 'kind', 'on_day', 'quantity'], unique=False)
        batch_op.create_index(batch_op.f('ix_movement_reverses_id'), ['reverses_id'], unique=False)

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('channel_id', sa.String(length=28), nullable=True))
        batch_op.add_column(sa.Column('stop', sa.String(length=40), server_default='', nullable=False))
        batch_op.add_column(sa.Column('fate', sa.String(length=12), server_default='', nullable=False))
        batch_op.add_column(sa.Column('fate_at', sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_delivery_channel_id'), 'channel', ['channel_id'], ['id'], ondelete='CASCADE')
        batch_op.drop_index(batch_op.f('ix_delivery_state'))
        batch_op.create_index('ix_delivery_queue', ['state', 'workspace_id', 'id'], unique=False)

    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=64), server_default='UTC', nullable=False))
        batch_op.add_column(sa.Column('currency', sa.String(length=3), server_default='EUR', nullable=False))
        batch_op.add_column(sa.Column('negative_stock', sa.String(length=8), server_default='flag', nullable=False))


def downgrade() -> None:
    # Indexes go with their tables: MariaDB refuses to drop one that a foreign key needs.

    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.drop_column('negative_stock')
        batch_op.drop_column('currency')
        batch_op.drop_column('time_zone')

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_queue')
        batch_op.create_index(batch_op.f('ix_delivery_state'), ['state'], unique=False)
        batch_op.drop_constraint(batch_op.f('fk_delivery_channel_id'), type_='foreignkey')
        batch_op.drop_column('fate_at')
        batch_op.drop_column('fate')
        batch_op.drop_column('stop')
        batch_op.drop_column('channel_id')

    op.drop_table('movement')

    op.drop_table('purchase_line')

    op.drop_table('entry')

    op.drop_table('recurring')

    op.drop_table('purchase')

    op.drop_table('product')

    op.drop_table('picture')

    op.drop_table('notice')

    op.drop_table('intake_line')

    op.drop_table('payee')

    op.drop_table('move')

    op.drop_table('intake')

    op.drop_table('budget')

    op.drop_table('wish')

    op.drop_table('supplier')

    op.drop_table('purse')

    op.drop_table('mute')

    op.drop_table('location')

    op.drop_table('channel')

    op.drop_table('category')

    op.drop_table('alert')

    op.drop_table('mail_event')

    op.drop_table('bounced')
