
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0004_reference_journal'),
    ]

    operations = [
        migrations.CreateModel(
            name='IntegrityCheck',
            fields=[
                ('uid', models.UUIDField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('scope', models.JSONField()),
                ('counts', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='OpenFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=32, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('root', models.TextField()),
                ('path', models.TextField()),
                ('model', models.CharField(max_length=200)),
                ('key', models.TextField()),
                ('field', models.CharField(max_length=200)),
                ('detail', models.TextField()),
                ('found_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Checksum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.TextField()),
                ('size', models.PositiveBigIntegerField()),
                ('mtime_ns', models.BigIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('summed_at', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField(null=True)),
                ('root', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auditor.root')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('root', 'path'), name='auditor_checksum_once')],
            },
        ),
    ]
