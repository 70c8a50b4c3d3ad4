"""meters, readings, weather, tariffs, forecasts and anomalies

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from models.base import Json

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('place',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('fetched_at', sa.BigInteger(), nullable=True),
    sa.Column('history_from', sa.BigInteger(), nullable=True),
    sa.Column('trouble', sa.String(length=500), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_place_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_place')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_place_workspace_id_name'))
    )
    with op.batch_alter_table('place', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_place_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('tariff',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('standing', sa.BigInteger(), nullable=False),
    sa.Column('rates', Json(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_tariff_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tariff')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_tariff_workspace_id_name'))
    )
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tariff_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('meter',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('unit', sa.String(length=4), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('holidays', sa.String(length=12), nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('rolls_at', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.String(length=160), nullable=False),
    sa.Column('address', sa.String(length=32), nullable=False),
    sa.Column('tariff_id', sa.String(length=28), nullable=True),
    sa.Column('place_id', sa.String(length=28), nullable=True),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('trouble', sa.String(length=300), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=True),
    sa.Column('last_at', sa.BigInteger(), nullable=True),
    sa.Column('heard_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.ForeignKeyConstraint(['place_id'], ['place.id'], name=op.f('fk_meter_place_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariff.id'], name=op.f('fk_meter_tariff_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_meter_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meter')),
    sa.UniqueConstraint('address', name=op.f('uq_meter_address')),
    sa.UniqueConstraint('workspace_id', 'name', name=op.f('uq_meter_workspace_id_name'))
    )
    with op.batch_alter_table('meter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_meter_place_id'), ['place_id'], unique=False)
        batch_op.create_index('ix_meter_source', ['workspace_id', 'source'], unique=False)
        batch_op.create_index(batch_op.f('ix_meter_tariff_id'), ['tariff_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_meter_workspace_id'), ['workspace_id'], unique=False)

    op.create_table('weather_day',
    sa.Column('place_id', sa.String(length=28), nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('issued_at', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('packed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['place_id'], ['place.id'], name=op.f('fk_weather_day_place_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('place_id', 'day', 'issued_at', name=op.f('pk_weather_day')),
    sqlite_with_rowid=False
    )
    op.create_table('anomaly',
    sa.Column('id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('meter_id', sa.String(length=28), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('start', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=True),
    sa.Column('kwh', sa.BigInteger(), nullable=True),
    sa.Column('cost', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('dismissed_at', sa.BigInteger(), nullable=True),
    sa.Column('dismissed_why', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['meter_id'], ['meter.id'], name=op.f('fk_anomaly_meter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_anomaly_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_anomaly')),
    sa.UniqueConstraint('meter_id', 'kind', 'start', name=op.f('uq_anomaly_meter_id_kind_start'))
    )
    with op.batch_alter_table('anomaly', schema=None) as batch_op:
        batch_op.create_index('ix_anomaly_list', ['workspace_id', 'start'], unique=False)

    op.create_table('outlook',
    sa.Column('meter_id', sa.String(length=28), nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('night', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('model', sa.String(length=120), nullable=False),
    sa.Column('data', Json(), nullable=True),
    sa.Column('week_kwh', sa.Double(), nullable=True),
    sa.Column('week_before_kwh', sa.Double(), nullable=True),
    sa.Column('month_kwh', sa.Double(), nullable=True),
    sa.Column('month_before_kwh', sa.Double(), nullable=True),
    sa.Column('tomorrow_kwh', sa.Double(), nullable=True),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['meter_id'], ['meter.id'], name=op.f('fk_outlook_meter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_outlook_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('meter_id', name=op.f('pk_outlook'))
    )
    with op.batch_alter_table('outlook', schema=None) as batch_op:
        batch_op.create_index('ix_outlook_workspace', ['workspace_id', 'state'], unique=False)

    op.create_table('reading_day',
    sa.Column('meter_id', sa.String(length=28), nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('workspace_id', sa.String(length=28), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('packed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['meter_id'], ['meter.id'], name=op.f('fk_reading_day_meter_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('meter_id', 'day', name=op.f('pk_reading_day')),
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    for table in ('reading_day', 'outlook', 'anomaly', 'weather_day', 'meter', 'tariff', 'place'):
        op.drop_table(table)
