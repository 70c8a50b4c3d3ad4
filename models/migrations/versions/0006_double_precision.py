"""numbers with a fraction are kept whole by MariaDB, too

Its FLOAT has seven digits and shows six. On SQLite, PostgreSQL and Db2 a FLOAT is a DOUBLE already, and new databases
have DOUBLE from the first revision on, so that a backup of an older release loses nothing on its way into MariaDB.

Revision: 0006, after 0005
"""

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

DOUBLES = (
    "ALTER TABLE run MODIFY progress DOUBLE NOT NULL",
    "ALTER TABLE place MODIFY latitude DOUBLE NULL, MODIFY longitude DOUBLE NULL",
    "ALTER TABLE outlook MODIFY week_kwh DOUBLE NULL, MODIFY week_before_kwh DOUBLE NULL, MODIFY month_kwh DOUBLE NULL, "
    "MODIFY month_before_kwh DOUBLE NULL, MODIFY tomorrow_kwh DOUBLE NULL, MODIFY seconds DOUBLE NOT NULL",
    # What was 52.52 would be 52.52000045776367 now, and stand so in the form.
    "UPDATE place SET latitude = ROUND(latitude, 4), longitude = ROUND(longitude, 4) "
    "WHERE latitude = CAST(latitude AS FLOAT) AND longitude = CAST(longitude AS FLOAT)",
)


def upgrade() -> None:
    for statement in DOUBLES if op.get_context().dialect.name in ("mysql", "mariadb") else ():
        op.execute(statement)


def downgrade() -> None:
    """The release before takes a DOUBLE as well."""
