"""Where files stand, as the settings say: a folder of this machine, or a bucket; its library is loaded for it alone."""

from typing import TYPE_CHECKING

from deploy import urls
from deploy.settings import Settings
from tasks.storage import FolderStorage, Storage

if TYPE_CHECKING:
    from workers.bucket import BucketStorage


def made(settings: Settings) -> Storage:
    """The configured one."""
    if not settings.files_url:
        return FolderStorage(settings.var / "files")
    return bucket(settings)


def bucket(settings: Settings) -> "BucketStorage":
    """The configured bucket; nothing is asked of it yet."""
    from workers.bucket import BucketStorage
    from workers.bucket_door import Door

    name, prefix = urls.bucket(settings.files_url)
    door = Door(
        name,
        prefix,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        key_id=settings.s3_key_id.get_secret_value(),
        secret=settings.s3_secret.get_secret_value(),
        ca=settings.s3_ca,
    )
    return BucketStorage(door)
