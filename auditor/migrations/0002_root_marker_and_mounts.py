from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='root',
            name='marker',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='root',
            name='mounts',
            field=models.JSONField(default=list),
        ),
    ]
