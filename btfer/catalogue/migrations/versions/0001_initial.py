"""The first catalogue: queries, journal, photos, faces, verdicts, releases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table('photo',
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('format', sa.String(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('n_bytes', sa.Integer(), nullable=False),
    sa.Column('phash', sa.BigInteger(), nullable=False),
    sa.Column('mirror_phash', sa.BigInteger(), nullable=False),
    sa.Column('hints', sa.JSON(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('sha256')
    )
    op.create_table('query',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('phrase', sa.String(), nullable=False),
    sa.Column('expression', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('ethnicity', sa.String(), nullable=False),
    sa.Column('gender', sa.String(), nullable=False),
    sa.Column('age', sa.String(), nullable=False),
    sa.Column('plan', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('release',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('face',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('photo', sa.String(), nullable=False),
    sa.Column('settings', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('x', sa.Float(), nullable=False),
    sa.Column('y', sa.Float(), nullable=False),
    sa.Column('width', sa.Float(), nullable=False),
    sa.Column('height', sa.Float(), nullable=False),
    sa.Column('probability', sa.Float(), nullable=False),
    sa.Column('landmarks', sa.JSON(), nullable=False),
    sa.Column('crop', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['photo'], ['photo.sha256'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('photo', 'settings', 'number')
    )
    op.create_index(op.f('ix_face_photo'), 'face', ['photo'], unique=False)
    op.create_table('fetch',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('final_url', sa.String(), nullable=False),
    sa.Column('content_type', sa.String(), nullable=False),
    sa.Column('etag', sa.String(), nullable=False),
    sa.Column('photo', sa.String(), nullable=True),
    sa.Column('at', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['photo'], ['photo.sha256'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_fetch_photo'), 'fetch', ['photo'], unique=False)
    op.create_index(op.f('ix_fetch_state'), 'fetch', ['state'], unique=False)
    op.create_table('release_face',
    sa.Column('release', sa.String(), nullable=False),
    sa.Column('file', sa.String(), nullable=False),
    sa.Column('face', sa.String(), nullable=False),
    sa.Column('expression', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['release'], ['release.name'], ),
    sa.PrimaryKeyConstraint('release', 'file')
    )
    op.create_table('search',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('asked', sa.Integer(), nullable=False),
    sa.Column('found', sa.Integer(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['query'], ['query.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_search_source'), 'search', ['source'], unique=False)
    op.create_table('verdict',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round', sa.String(), nullable=False),
    sa.Column('photo', sa.String(), nullable=False),
    sa.Column('face', sa.String(), nullable=False),
    sa.Column('settings', sa.String(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('expression', sa.String(), nullable=False),
    sa.Column('reviewer', sa.String(), nullable=False),
    sa.Column('keeper', sa.String(), nullable=False),
    sa.Column('distance', sa.Integer(), nullable=True),
    sa.Column('undoes', sa.Integer(), nullable=True),
    sa.Column('at', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['photo'], ['photo.sha256'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_verdict_undoes'), 'verdict', ['undoes'], unique=False)
    op.create_index('verdict_subject', 'verdict', ['round', 'photo', 'face', 'settings'], unique=False)
    op.create_table('sighting',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('fetch', sa.String(), nullable=False),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('page_url', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('licence', sa.String(), nullable=False),
    sa.Column('licence_url', sa.String(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('at', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['fetch'], ['fetch.id'], ),
    sa.ForeignKeyConstraint(['query'], ['query.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('fetch', 'query', 'source')
    )
